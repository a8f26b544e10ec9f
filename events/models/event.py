"""The log of ends: what customers are told, numbered in the order of the commits."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils import timezone

from accounts.models import Account
from common import ids


class Type(models.TextChoices):
    """What an event tells a customer."""

    COMPLETED = "generation.completed"
    FAILED = "generation.failed"
    CANCELED = "generation.canceled"


TEST = "webhook_endpoint.test"  # goes to one endpoint, and is in no list


class Feed(models.Model):
    """How many events an account has had. Its row is locked from an event to its commit."""

    account = models.OneToOneField(
        Account, on_delete=models.PROTECT, primary_key=True, related_name="+"
    )
    last_sequence = models.BigIntegerField()

    def __str__(self) -> str:
        return f"{self.account_id}: {self.last_sequence}"


class Event(models.Model):
    """One end of one generation, or a test of an endpoint; until retention takes it.

    ``sequence`` is 1, 2, 3 … within an account, in the order of the commits: a reader who has come
    to a number has missed none before it. A test has none. The id, a UUID of version 7, has the
    time that retention goes by.
    """

    id = models.UUIDField(primary_key=True, default=ids.new, editable=False)
    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="+", db_index=False)
    sequence = models.BigIntegerField(null=True)
    type = models.CharField(max_length=32, choices=[*Type.choices, (TEST, "Test")])
    generation_id = models.UUIDField(null=True)
    created_at = models.DateTimeField(default=timezone.now, db_default=Now())

    class Meta:
        indexes = [
            # read by the list of one type
            models.Index(fields=["account", "type", "sequence"], name="event_of_type"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["account", "sequence"], name="event_sequence_unique_in_account"
            ),
            models.UniqueConstraint(
                fields=["generation_id"],
                condition=Q(generation_id__isnull=False),
                name="event_once_a_generation",
            ),
            models.CheckConstraint(
                condition=Q(type__in=[*Type.values, TEST]), name="event_type_is_known"
            ),
            models.CheckConstraint(
                condition=Q(generation_id__isnull=False) | ~Q(type__startswith="generation."),
                name="event_names_its_generation",
            ),
            models.CheckConstraint(
                condition=Q(type=TEST, sequence__isnull=True)
                | (~Q(type=TEST) & Q(sequence__isnull=False)),
                name="event_is_numbered_unless_a_test",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.account_id} #{self.sequence} {self.type}"
