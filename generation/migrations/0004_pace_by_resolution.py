"""How long a model takes is learned for each resolution."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("generation", "0003_uploads"),
    ]

    operations = [
        migrations.AddField(
            model_name="providergate",
            name="lasted_by",
            field=models.JSONField(
                db_comment="seconds from acceptance until seen done, of the last ones; by "
                "resolution, which is empty for images",
                db_default={},
                default=dict,
            ),
        ),
    ]
