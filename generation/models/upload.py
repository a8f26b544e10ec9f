"""Images that customers send us themselves, and the generations that used them."""

from __future__ import annotations

from datetime import timedelta

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils import timezone

from accounts.models import Account, User
from common import ids

LIFETIME = timedelta(hours=24)  # of an upload that no generation uses


class Upload(models.Model):
    """One image of a customer's, drawn anew, in our storage.

    The row comes before the file and outlives it: with ``key`` there may be a file, with
    ``expires_at`` there is one, with ``deleted_at`` nobody may use it any more. Without a key it
    came to nothing, and counts for the day's limits all the same.
    """

    id = models.UUIDField(primary_key=True, default=ids.new, editable=False)
    account = models.ForeignKey(
        Account, on_delete=models.PROTECT, related_name="uploads", db_index=False
    )
    created_by = models.ForeignKey(
        User, on_delete=models.PROTECT, null=True, related_name="+", db_index=False
    )
    received = models.BigIntegerField(
        db_comment="bytes of the request's body, as announced until it is here"
    )
    key = models.CharField(max_length=200, blank=True, db_default="", db_comment="in our storage")
    content_type = models.CharField(max_length=20, blank=True, db_default="")
    width = models.PositiveIntegerField(null=True)
    height = models.PositiveIntegerField(null=True)
    size = models.BigIntegerField(null=True, db_comment="bytes that we keep")
    sha256 = models.CharField(max_length=64, blank=True, db_default="")
    created_at = models.DateTimeField(default=timezone.now, db_default=Now())
    expires_at = models.DateTimeField(null=True)
    deleted_at = models.DateTimeField(null=True)
    next_look_at = models.DateTimeField(
        default=timezone.now,
        db_default=Now(),
        db_comment="when retention looks at it; while claimed, the lease's end",
    )

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(expires_at__isnull=True)
                | (
                    Q(width__gt=0, height__gt=0, size__gt=0)
                    & ~Q(sha256="")
                    & ~Q(content_type="")
                    & (~Q(key="") | Q(deleted_at__isnull=False))
                ),
                name="upload_that_can_be_used_is_stored",
            ),
        ]
        indexes = [
            # read by the day's limits
            models.Index(fields=["account", "created_at"], name="upload_of_account"),
            # read by retention: what has a file, or is to be forgotten
            models.Index(
                fields=["next_look_at"],
                condition=~Q(key="") | Q(deleted_at__isnull=True),
                name="upload_due",
            ),
        ]

    def __str__(self) -> str:
        return f"upload {self.id}"


class UploadUse(models.Model):
    """A generation was ordered with an upload; written by the statement that charged for it."""

    upload = models.ForeignKey(
        Upload, on_delete=models.PROTECT, related_name="uses", db_index=False
    )
    generation = models.ForeignKey(
        "generation.Generation", on_delete=models.PROTECT, related_name="upload_uses"
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["upload", "generation"], name="upload_used_once_a_generation"
            )
        ]

    def __str__(self) -> str:
        return f"upload {self.upload_id} in {self.generation_id}"
