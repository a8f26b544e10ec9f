"""Why the provider said no, beside what it said."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("generation", "0016_open_grants_go_back")]
    operations = [
        migrations.AddField(
            "attempt",
            "refusal",
            models.JSONField(
                null=True, db_comment="the provider's, for operators: category, support_codes"
            ),
        ),
    ]
