"""What retention has taken from the customer and not yet deleted."""

from __future__ import annotations

from django.db import models
from django.db.models.functions import Now
from django.utils import timezone


class Erasure(models.Model):
    """A file that no generation shows any more: to be deleted, ours and the provider's copies.

    Written by the statement that takes the key from the generation, deleted once the files are.
    """

    generation = models.OneToOneField(
        "generation.Generation", on_delete=models.PROTECT, primary_key=True, related_name="+"
    )
    key = models.CharField(max_length=200, db_comment="in our storage")
    made_at = models.DateTimeField(default=timezone.now, db_default=Now())
    next_try_at = models.DateTimeField(
        default=timezone.now, db_default=Now(), db_comment="while claimed, the lease's end"
    )
    last_error = models.TextField(blank=True, db_default="")

    class Meta:
        indexes = [models.Index(fields=["next_try_at"], name="erasure_due")]

    def __str__(self) -> str:
        return self.key
