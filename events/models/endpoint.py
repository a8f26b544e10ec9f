"""Where events are sent, and what they are signed with."""

from __future__ import annotations

from datetime import datetime

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils import timezone

from accounts.models import Account, User
from common import ids

API_VERSION = "2026-12-01"  # the shape of what is sent; an endpoint keeps the one it began with
EVERY_TYPE = "*"  # in ``event_types``: all types, also those to come


class DisabledReason(models.TextChoices):
    """Why nothing is sent to an endpoint; empty when its customer switched it off."""

    GONE = "gone"  # it answered 410
    FAILING = "failing"  # a delivery used up its attempts, and nothing succeeded for days
    OPERATOR = "operator"


class Signer(models.Model):
    """A secret that signs, and its predecessor while that signs, too.

    Secrets are sealed by ``common/sealing.py``: with the database alone nobody can forge anything.
    """

    secret = models.TextField(db_comment="sealed; empty once its endpoint is deleted")
    secret_hint = models.CharField(max_length=4, db_comment="its last characters")
    previous_secret = models.TextField(null=True, db_comment="sealed")
    previous_secret_expires_at = models.DateTimeField(null=True)
    is_prompt = models.BooleanField(
        null=True, db_comment="its last attempt succeeded, within seconds: webhooks/due.py"
    )

    now: datetime  # no column: a query may add it, the database's time

    class Meta:
        abstract = True


class WebhookEndpoint(Signer):
    """A customer's URL that gets the events of its types.

    Deleted ones stay, without their secrets, for the deliveries that name them.
    """

    id = models.UUIDField(primary_key=True, default=ids.new, editable=False)
    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="+", db_index=False)
    url = models.CharField(max_length=2048, db_comment="its path and query may be secrets")
    description = models.CharField(max_length=200, blank=True)
    event_types = ArrayField(models.CharField(max_length=32), db_comment="or the one word *")
    enabled = models.BooleanField(default=True)
    disabled_reason = models.CharField(max_length=8, choices=DisabledReason.choices, blank=True)
    disabled_at = models.DateTimeField(null=True)
    enabled_at = models.DateTimeField(
        default=timezone.now, db_default=Now(), db_comment="when it was last switched on"
    )
    api_version = models.CharField(max_length=10, default=API_VERSION)
    last_success_at = models.DateTimeField(null=True)
    last_attempt_at = models.DateTimeField(null=True)
    last_attempt_succeeded = models.BooleanField(null=True)
    created_by = models.ForeignKey(
        User, on_delete=models.PROTECT, null=True, related_name="+", db_index=False
    )
    created_at = models.DateTimeField(default=timezone.now, db_default=Now())
    updated_at = models.DateTimeField(default=timezone.now, db_default=Now())
    deleted_at = models.DateTimeField(null=True)

    class Meta:
        permissions = [("switch_webhookendpoint", "Can switch an endpoint on and off")]
        indexes = [
            # read by every end of a generation, and by the list
            models.Index(
                fields=["account", "-created_at", "-id"],
                condition=Q(deleted_at__isnull=True),
                name="endpoint_of_account",
            ),
            # read by the operators' page
            models.Index(fields=["-created_at", "-id"], name="endpoint_newest"),
            # read by its search, which finds deleted ones, too
            models.Index(fields=["account", "-created_at", "-id"], name="endpoint_ever_of_account"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(previous_secret__isnull=True, previous_secret_expires_at__isnull=True)
                | Q(previous_secret__isnull=False, previous_secret_expires_at__isnull=False),
                name="previous_secret_iff_it_expires",
            ),
            models.CheckConstraint(
                condition=Q(deleted_at__isnull=True)
                | Q(secret="", previous_secret__isnull=True, enabled=False),
                name="endpoint_deleted_has_no_secret",
            ),
            models.CheckConstraint(
                condition=Q(enabled=True, disabled_reason="", disabled_at__isnull=True)
                | Q(enabled=False, disabled_at__isnull=False),
                name="endpoint_disabled_since_a_moment",
            ),
            models.CheckConstraint(
                condition=Q(disabled_reason__in=["", *DisabledReason.values]),
                name="endpoint_disabled_reason_is_known",
            ),
            models.CheckConstraint(
                condition=Q(event_types__len__gt=0), name="endpoint_wants_some_type"
            ),
        ]

    def __str__(self) -> str:
        return f"webhook endpoint {ids.short(self.pk)}"


class DefaultSecret(Signer):
    """The secret that signs the events for the ``webhook_url`` of orders."""

    account = models.OneToOneField(
        Account, on_delete=models.PROTECT, primary_key=True, related_name="+"
    )
    created_at = models.DateTimeField(default=timezone.now, db_default=Now())

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(previous_secret__isnull=True, previous_secret_expires_at__isnull=True)
                | Q(previous_secret__isnull=False, previous_secret_expires_at__isnull=False),
                name="previous_default_secret_iff_it_expires",
            ),
            models.CheckConstraint(condition=~Q(secret=""), name="default_secret_is_one"),
        ]

    def __str__(self) -> str:
        return f"default secret of {self.account_id}"
