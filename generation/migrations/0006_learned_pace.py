"""How long a model's last operations took, see generation/provider/pace.py."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("generation", "0005_orphan_sweep")]
    operations = [
        migrations.AddField(
            "providergate",
            "lasted",
            models.JSONField(
                default=list,
                db_default=[],
                db_comment="seconds from acceptance until seen done, of the last ones",
            ),
        ),
    ]
