"""The table of generations."""

from __future__ import annotations

from datetime import datetime

from django.db import models
from django.db.models.functions import Now
from django.utils import timezone

from accounts.models import Account, ApiKey, User
from common import ids
from credits.models import LedgerEntry
from generation.models.catalog import CatalogModel
from generation.models.indexes import INDEXES
from generation.models.rules import CONSTRAINTS, OPEN
from generation.models.states import State


class Generation(models.Model):
    """One request and its result. The row is its own outbox: open means scheduled.

    Only the verbs write here: ``generation/creation.py``, ``generation/lifecycle.py``,
    ``generation/waiting.py`` and ``generation/interventions.py``.
    """

    id = models.UUIDField(primary_key=True, default=ids.new, editable=False)
    # Foreign keys without an index of their own: every create would keep it up. Rows are found by
    # `generation_history`, and what these point to is never deleted, but for login tokens
    # (`generation_ordered_with`).
    account = models.ForeignKey(
        Account, on_delete=models.PROTECT, related_name="generations", db_index=False
    )
    created_by = models.ForeignKey(
        User, on_delete=models.PROTECT, null=True, related_name="+", db_index=False
    )
    api_key = models.ForeignKey(
        ApiKey, on_delete=models.PROTECT, null=True, related_name="+", db_index=False
    )
    idempotency_key = models.CharField(max_length=255, null=True)
    request_sha256 = models.BinaryField(max_length=32, null=True)
    retry_of = models.ForeignKey(
        "self", on_delete=models.PROTECT, null=True, related_name="retried_by", db_index=False
    )

    model = models.ForeignKey(
        CatalogModel, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    kind = models.CharField(max_length=5, choices=CatalogModel.Kind.choices)
    prompt = models.CharField(max_length=1000, blank=True)
    # as generation/offer/parameters.py writes and reads them
    parameters = models.JSONField(db_comment="validated: aspect_ratio or size, source_image_urls")
    price = models.PositiveIntegerField(db_comment="credits, as charged")
    webhook_url = models.CharField(
        max_length=2048,
        null=True,
        db_comment="its end goes there; erased with the prompt, for path and query may be secrets",
    )
    estimated_time = models.CharField(max_length=40)
    expected_seconds = models.FloatField(db_comment="as scaled at creation")
    charge = models.OneToOneField(LedgerEntry, on_delete=models.PROTECT, related_name="+")
    refund = models.ForeignKey(
        LedgerEntry, on_delete=models.PROTECT, null=True, related_name="+", db_index=False
    )
    # A retry at the house's expense has a grant, and the adjustment takes it back. A trigger checks
    # both, so no foreign key asks once more.
    grant = models.ForeignKey(
        LedgerEntry,
        on_delete=models.PROTECT,
        null=True,
        related_name="+",
        db_index=False,
        db_constraint=False,
        db_comment="what paid for it, unless the customer did",
    )
    adjustment = models.ForeignKey(
        LedgerEntry,
        on_delete=models.PROTECT,
        null=True,
        related_name="+",
        db_index=False,
        db_constraint=False,
        db_comment="what took the grant back, with the refund",
    )

    state = models.CharField(max_length=14, choices=State.choices, default=State.QUEUED)
    version = models.PositiveIntegerField(default=1, db_comment="one more with every event")
    next_attempt_at = models.DateTimeField(
        null=True, db_comment="when due; while claimed, when the lease ends"
    )
    lease_token = models.UUIDField(null=True)
    strikes = models.PositiveSmallIntegerField(default=0, db_comment="claims without a write-back")
    retries = models.PositiveSmallIntegerField(default=0, db_comment="failed tries of this state")
    deadline_at = models.DateTimeField()
    images_until = models.DateTimeField(
        null=True, db_comment="when its source images have to be prepared; null = nothing awaited"
    )
    unknown_until = models.DateTimeField(null=True)
    unknown_attempts = models.PositiveSmallIntegerField(default=0)
    last_error = models.TextField(blank=True, db_comment="for operators; never shown to customers")

    backend = models.CharField(max_length=50, default="vertex", db_default="vertex")
    project = models.CharField(max_length=100, blank=True)
    location = models.CharField(max_length=50, blank=True)
    provider_model = models.CharField(max_length=100, blank=True)
    operation_name = models.CharField(max_length=400, null=True)
    accepted_at = models.DateTimeField(null=True)
    output_uri = models.CharField(max_length=500, blank=True, db_comment="at the provider")
    output_attempt = models.SmallIntegerField(
        null=True, db_comment="the number of the attempt whose output it is; null in old rows"
    )

    output_key = models.CharField(max_length=200, blank=True, db_comment="in our storage")
    output_type = models.CharField(max_length=20, blank=True)
    output_size = models.BigIntegerField(null=True, db_comment="bytes")
    output_sha256 = models.CharField(max_length=64, blank=True)
    output_facts = models.JSONField(
        default=dict, db_comment="as read back: duration, width, height, codecs"
    )
    output_deleted_at = models.DateTimeField(null=True)

    error_code = models.CharField(max_length=30, blank=True)
    error_message = models.CharField(max_length=400, blank=True)
    error_retryable = models.BooleanField(default=False)
    created_at = models.DateTimeField(default=timezone.now, db_default=Now())
    updated_at = models.DateTimeField(default=timezone.now, db_default=Now())
    finished_at = models.DateTimeField(null=True)

    claimed_at: datetime  # no column: a claim adds it, the database's time
    now: datetime  # no column: the API's look-ups add it, the database's time

    class Meta:
        permissions = [
            ("retry_generation", "Can retry a generation"),
            ("fail_generation", "Can fail and refund a generation"),
            ("cancel_generation", "Can cancel a generation"),
        ]
        constraints = CONSTRAINTS
        indexes = INDEXES

    def __str__(self) -> str:
        return f"{self.kind} {self.id} ({self.state})"

    @property
    def is_open(self) -> bool:
        """Whether work is still to be done."""
        return self.state in OPEN

    @property
    def source_image_urls(self) -> list[str]:
        """0 to 3 URLs of the customer's; hostile until fetched by common/safe_fetch.py.

        Once retention has erased them they are empty; their number stays.
        """
        urls: list[str] = self.parameters.get("source_image_urls", [])
        return urls
