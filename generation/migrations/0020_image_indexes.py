"""Who waits for source images, and who had unusable ones: two indexes of few rows."""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("generation", "0019_prepared_images")]
    operations = [
        AddIndexConcurrently(
            "generation",
            models.Index(
                fields=["account", "next_attempt_at"],
                condition=Q(images_until__isnull=False),
                name="generation_awaits_images",
            ),
        ),
        AddIndexConcurrently(
            "generation",
            models.Index(
                fields=["account", "finished_at"],
                condition=Q(error_code="invalid_source_image"),
                name="generation_bad_images",
            ),
        ),
    ]
