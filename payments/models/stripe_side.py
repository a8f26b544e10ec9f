"""What Stripe told us, and how far we have looked there."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils import timezone


class StripeEvent(models.Model):
    """One of Stripe's events, for operators and metrics; nothing is ever decided by it."""

    event_id = models.CharField(primary_key=True, max_length=100)
    type = models.CharField(max_length=100)
    livemode = models.BooleanField()
    object_id = models.CharField(max_length=100, db_index=True)
    received_at = models.DateTimeField(default=timezone.now, db_default=Now(), db_index=True)
    deliveries = models.PositiveIntegerField(default=1, db_default=1)

    def __str__(self) -> str:
        return f"{self.type} {self.event_id}"


class StripeMark(models.Model):
    """How far the daily look at Stripe's lists has come."""

    object = models.CharField(primary_key=True, max_length=10)
    seen_until = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(object__in=["refunds", "disputes"]), name="stripe_mark_is_known"
            )
        ]

    def __str__(self) -> str:
        return f"{self.object} until {self.seen_until}"
