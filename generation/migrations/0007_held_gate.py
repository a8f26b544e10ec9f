"""Nothing is bought while nothing can be stored, see generation/provider/gate.py."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("generation", "0006_learned_pace")]
    operations = [
        migrations.AddField(
            "providergate",
            "held_until",
            models.DateTimeField(
                null=True,
                db_comment="nothing is bought until then: its output could not be stored",
            ),
        ),
    ]
