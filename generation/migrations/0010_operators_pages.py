"""What the operators' pages need: permissions for their verbs, and an index of what is over."""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("generation", "0009_catalog_says_how_long")]

    operations = [
        migrations.AlterModelOptions(
            name="generation",
            options={
                "permissions": [
                    ("retry_generation", "Can retry a generation"),
                    ("fail_generation", "Can fail and refund a generation"),
                    ("cancel_generation", "Can cancel a generation"),
                ]
            },
        ),
        AddIndexConcurrently(
            model_name="generation",
            index=models.Index(
                condition=models.Q(("finished_at__isnull", False)),
                fields=["state", "-finished_at"],
                name="generation_finished",
            ),
        ),
    ]
