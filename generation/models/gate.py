"""What all workers share about a model at the provider: its gate, and how long it takes."""

from __future__ import annotations

from datetime import datetime

from django.db import models
from django.db.models import Q

from generation.models.catalog import CatalogModel


class ProviderGate(models.Model):
    """One row a model: its submit rate and its circuit breaker, in the one place all share.

    ``lasted_by`` and ``lasted`` are for generation/provider/pace.py.
    ``next_submit_at`` is the theoretical arrival time of the generic cell rate algorithm.
    ``open_until`` is set while the breaker is open; once it has passed, one call may probe.
    From ``gone`` on the columns are for generation/provider/model_ids.py.
    """

    model = models.OneToOneField(
        CatalogModel, on_delete=models.CASCADE, primary_key=True, related_name="gate"
    )
    next_submit_at = models.DateTimeField()
    window_ends_at = models.DateTimeField(db_comment="calls and failures are counted until then")
    calls = models.PositiveIntegerField(default=0)
    failures = models.PositiveIntegerField(default=0)
    quota_errors = models.PositiveIntegerField(default=0, db_comment="in a row")
    open_until = models.DateTimeField(null=True)
    trips = models.PositiveSmallIntegerField(default=0, db_comment="in a row, without a success")
    held_until = models.DateTimeField(
        null=True, db_comment="nothing is bought until then: its output could not be stored"
    )
    gone = models.PositiveSmallIntegerField(
        default=0,
        db_default=0,
        db_comment="orders in a row that failed since the provider does not know the model's ids",
    )
    paused_until = models.DateTimeField(
        null=True, db_comment="until then the model is not sold, and nothing is asked for"
    )
    pauses = models.PositiveSmallIntegerField(
        default=0, db_default=0, db_comment="in a row, without a success"
    )
    probe_until = models.DateTimeField(
        null=True, db_comment="after a pause, until when the one call that probes may take"
    )
    first_gone = models.PositiveSmallIntegerField(
        default=0, db_default=0, db_comment="times in a row that the fallback took over"
    )
    fallback_until = models.DateTimeField(
        null=True, db_comment="until then the fallback is asked at once; then one order asks first"
    )
    known = models.JSONField(
        default=dict,
        db_default={},
        db_comment="what the last probe told of each id: true, false, or null if it could not",
    )
    known_at = models.DateTimeField(null=True, db_comment="when that was")
    # Before lasted_by, of 720p and of images. Still read while that has too few, no longer written:
    # the release after this one drops it.
    lasted = models.JSONField(
        default=list,
        db_default=[],
        db_comment="seconds from acceptance until seen done, of the last ones",
    )
    lasted_by = models.JSONField(
        default=dict,
        db_default={},
        db_comment="seconds from acceptance until seen done, of the last ones; by "
        "resolution, which is empty for images",
    )

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(failures__lte=models.F("calls")), name="gate_failures_are_calls"
            )
        ]

    def __str__(self) -> str:
        return f"gate of {self.model_id}"

    def is_closed(self, now: datetime) -> bool:
        """Whether breaker, pause, or a full disk of ours lets nothing through."""
        until = (self.open_until, self.held_until, self.paused_until, self.probe_until)
        return any(each is not None and each > now for each in until)
