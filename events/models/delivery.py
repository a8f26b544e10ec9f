"""Deliveries, sent and still to be sent, and what receivers answered."""

from __future__ import annotations

from datetime import datetime

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils import timezone

from accounts.models import Account
from common import ids
from events.models.endpoint import WebhookEndpoint
from events.models.event import TEST, Event, Type


class DeliveryState(models.TextChoices):
    """What became of a delivery."""

    PENDING = "pending"
    SUCCEEDED = "succeeded"
    FAILED = "failed"


class FailedReason(models.TextChoices):
    """Why a delivery is given up."""

    EXHAUSTED = "exhausted"
    GONE = "gone"
    ENDPOINT_DISABLED = "endpoint_disabled"
    ENDPOINT_DELETED = "endpoint_deleted"
    INTERNAL = "internal"  # ours


class AttemptError(models.TextChoices):
    """Why an attempt was no success, in words that tell nothing of our network."""

    TIMEOUT = "timeout"
    CONNECTION = "connection"
    TLS = "tls"
    HTTP_STATUS = "http_status"
    REDIRECT = "redirect"
    INTERNAL = "internal"  # ours


class WebhookDelivery(models.Model):
    """One event for one receiver: an endpoint, or the ``webhook_url`` of an order.

    The row is its own outbox: pending means scheduled. It is written in the transaction of the end
    that it tells (``events/outbox.py``). No body that is sent is stored.
    """

    id = models.UUIDField(primary_key=True, default=ids.new, editable=False)
    event = models.ForeignKey(
        Event, on_delete=models.PROTECT, related_name="deliveries", db_index=False
    )
    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="+", db_index=False)
    endpoint = models.ForeignKey(
        WebhookEndpoint, on_delete=models.PROTECT, null=True, related_name="+", db_index=False
    )
    url = models.CharField(
        max_length=2048, null=True, db_comment="of an order; else the endpoint's"
    )
    target = models.UUIDField(db_comment="the endpoint's id, else the account's: who shares slots")
    type = models.CharField(max_length=32, db_comment="the event's, so that lists filter")
    state = models.CharField(
        max_length=9, choices=DeliveryState.choices, default=DeliveryState.PENDING
    )
    failed_reason = models.CharField(max_length=17, choices=FailedReason.choices, blank=True)

    next_attempt_at = models.DateTimeField(
        null=True, db_comment="when due; while claimed, when the lease ends"
    )
    lease_token = models.UUIDField(null=True)
    strikes = models.PositiveSmallIntegerField(
        default=0, db_default=0, db_comment="claims without a write-back"
    )
    round_attempts = models.PositiveSmallIntegerField(
        default=0, db_default=0, db_comment="since it was made or last sent again by hand"
    )
    attempts_made = models.PositiveIntegerField(default=0, db_default=0)
    last_status_code = models.PositiveSmallIntegerField(null=True)
    last_error = models.CharField(max_length=11, choices=AttemptError.choices, blank=True)
    created_at = models.DateTimeField(default=timezone.now, db_default=Now())
    finished_at = models.DateTimeField(null=True)

    claimed_at: datetime  # no column: a claim adds it, the database's time

    class Meta:
        verbose_name_plural = "webhook deliveries"
        permissions = [("send_webhookdelivery", "Can send a webhook again")]
        indexes = [
            # read by the claim, target by target
            models.Index(
                fields=["target", "next_attempt_at"],
                condition=Q(next_attempt_at__isnull=False),
                name="delivery_due",
            ),
            # read by the lists of an endpoint, and of a default's
            models.Index(fields=["target", "-created_at", "-id"], name="delivery_of_target"),
            # read by the same lists with filters, state by state and type by type
            models.Index(
                fields=["target", "state", "type", "-created_at", "-id"],
                name="delivery_of_target_filtered",
            ),
            # read by the operators' page
            models.Index(fields=["-created_at", "-id"], name="delivery_newest"),
        ]
        constraints = [
            # of all rows, so that an event's deliveries are found by it
            models.UniqueConstraint(
                fields=["event", "endpoint"], name="delivery_once_an_event_and_endpoint"
            ),
            models.UniqueConstraint(
                # an order has one; its text may be longer than an index takes
                fields=["event"],
                condition=Q(endpoint__isnull=True),
                name="delivery_once_an_event_and_url",
            ),
            models.CheckConstraint(
                condition=Q(endpoint__isnull=False, url__isnull=True)
                | Q(endpoint__isnull=True, url__isnull=False),
                name="delivery_has_one_target",
            ),
            models.CheckConstraint(
                condition=Q(state=DeliveryState.PENDING, next_attempt_at__isnull=False)
                | Q(
                    state__in=[DeliveryState.SUCCEEDED, DeliveryState.FAILED],
                    next_attempt_at__isnull=True,
                ),
                name="delivery_pending_iff_scheduled",
            ),
            models.CheckConstraint(
                condition=Q(state=DeliveryState.FAILED, failed_reason__in=FailedReason.values)
                | (~Q(state=DeliveryState.FAILED) & Q(failed_reason="")),
                name="delivery_failed_for_a_reason",
            ),
            models.CheckConstraint(
                condition=Q(state=DeliveryState.PENDING, finished_at__isnull=True)
                | (~Q(state=DeliveryState.PENDING) & Q(finished_at__isnull=False)),
                name="delivery_finished_iff_not_pending",
            ),
            models.CheckConstraint(
                condition=Q(last_error__in=["", *AttemptError.values]),
                name="delivery_error_is_known",
            ),
            # a list by type would leave out any other
            models.CheckConstraint(
                condition=Q(type__in=[*Type.values, TEST]), name="delivery_type_is_known"
            ),
        ]

    def __str__(self) -> str:
        return f"webhook delivery {ids.short(self.pk)} ({self.state})"


class WebhookAttempt(models.Model):
    """One POST and its result. Of the answer only the status is kept."""

    delivery = models.ForeignKey(
        WebhookDelivery, on_delete=models.PROTECT, related_name="attempts", db_index=False
    )
    number = models.PositiveIntegerField()
    at = models.DateTimeField(default=timezone.now, db_default=Now())
    duration_ms = models.PositiveIntegerField(db_comment="in hundreds")
    status_code = models.PositiveSmallIntegerField(null=True)
    error = models.CharField(max_length=11, choices=AttemptError.choices, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["delivery", "number"], name="attempt_number_unique_in_delivery"
            ),
            models.CheckConstraint(
                condition=Q(error__in=["", *AttemptError.values]), name="attempt_error_is_known"
            ),
        ]

    def __str__(self) -> str:
        return f"attempt {self.number} of {ids.short(self.delivery_id)}"
