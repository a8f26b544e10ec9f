"""Which generations may have prepared source images in our storage."""

from __future__ import annotations

from django.db import models
from django.db.models.functions import Now
from django.utils import timezone


class PreparedImages(models.Model):
    """Files of a generation that only the submit stage reads; see
    generation/inputs/prepared_images.py.

    Written before the first file and removed after the last one, so that none is forgotten.
    """

    generation = models.OneToOneField(
        "generation.Generation",
        on_delete=models.PROTECT,
        primary_key=True,
        related_name="+",
    )
    made_at = models.DateTimeField(default=timezone.now, db_default=Now())
    next_look_at = models.DateTimeField(
        default=timezone.now,
        db_default=Now(),
        db_comment="when the end of the generation is looked for; while claimed, the lease's end",
    )

    class Meta:
        indexes = [models.Index(fields=["next_look_at"], name="prepared_images_due")]

    def __str__(self) -> str:
        return f"source images of {self.generation_id}"
