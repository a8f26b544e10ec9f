"""What was taken back of a payment."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils import timezone

from accounts.models import User
from common import ids
from credits.models import LedgerEntry
from payments.models.payment import Payment

# Stripe's words for a dispute that waits for our answer. Their list may grow.
TO_ANSWER = ("needs_response", "warning_needs_response", "appeal_needs_response")


class Reversal(models.Model):
    """A refund or a dispute. Our own refund has no ``provider_id`` until Stripe knows it."""

    class Kind(models.TextChoices):
        REFUND = "refund"
        DISPUTE = "dispute"

    id = models.UUIDField(primary_key=True, default=ids.new, editable=False)
    payment = models.ForeignKey(Payment, on_delete=models.PROTECT, related_name="reversals")
    provider_id = models.CharField(
        max_length=100, null=True, unique=True, db_comment="re_… or du_…"
    )
    kind = models.CharField(max_length=7, choices=Kind.choices)
    amount_minor = models.PositiveIntegerField()
    status = models.CharField(max_length=40, db_comment="Stripe's word")
    entry = models.OneToOneField(LedgerEntry, on_delete=models.PROTECT, null=True, related_name="+")
    reinstated = models.OneToOneField(
        LedgerEntry, on_delete=models.PROTECT, null=True, related_name="+"
    )
    due_by = models.DateTimeField(null=True, db_comment="until when a dispute can be answered")
    created_by = models.ForeignKey(
        User,
        on_delete=models.PROTECT,
        null=True,
        related_name="+",
        db_index=False,
        db_comment="who refunded it with us; null = seen at Stripe",
    )
    created_at = models.DateTimeField(default=timezone.now, db_default=Now())

    class Meta:
        indexes = [
            # read by the operators' pages
            models.Index(fields=["-created_at", "-id"], name="reversal_newest"),
            models.Index(
                fields=["-created_at", "-id"], condition=Q(kind="dispute"), name="reversal_disputes"
            ),
            # read by the alert, too
            models.Index(
                fields=["due_by"],
                condition=Q(kind="dispute", status__in=TO_ANSWER),
                name="dispute_to_answer",
            ),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(kind__in=["refund", "dispute"]), name="reversal_kind_is_known"
            ),
            models.CheckConstraint(
                condition=Q(reinstated__isnull=True) | Q(entry__isnull=False),
                name="reversal_reinstates_what_it_took",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} of {self.payment_id} ({self.status})"
