"""A page of a filtered history costs what any page does: ended generations by state and kind.

Only what has ended is in it, so a create does not write it. Built concurrently; if it is
interrupted, drop the index and run the migration again.
"""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("generation", "0020_image_indexes")]
    operations = [
        AddIndexConcurrently(
            "generation",
            models.Index(
                fields=["account", "state", "kind", "-created_at", "-id"],
                condition=Q(finished_at__isnull=False),
                name="generation_ended_of_account",
            ),
        )
    ]
