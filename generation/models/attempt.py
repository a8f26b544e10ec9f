"""The attempts, one for each time we asked the provider, and outputs that no customer got."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils import timezone


class Attempt(models.Model):
    """One time we asked the provider; committed before the question is sent."""

    class Outcome(models.TextChoices):
        ASKED = "asked"  # no answer yet
        ACCEPTED = "accepted"
        NOT_ACCEPTED = "not_accepted"
        REJECTED = "rejected"
        UNKNOWN = "unknown"
        ADOPTED = "adopted"  # unknown, then found in its place

    generation = models.ForeignKey(
        "generation.Generation", on_delete=models.PROTECT, related_name="attempts", db_index=False
    )
    number = models.PositiveSmallIntegerField()
    backend = models.CharField(max_length=50, default="vertex", db_default="vertex")
    project = models.CharField(max_length=100, blank=True, db_default="")
    location = models.CharField(max_length=50, blank=True, db_default="")
    prefix = models.CharField(
        max_length=300, blank=True, db_comment="the place, as its backend calls it; may be empty"
    )
    provider_model = models.CharField(max_length=100)
    outcome = models.CharField(max_length=12, choices=Outcome.choices, default=Outcome.ASKED)
    operation_name = models.CharField(max_length=400, blank=True)
    detail = models.TextField(blank=True)
    refusal = models.JSONField(
        null=True, db_comment="the provider's, for operators: category, support_codes"
    )
    asked_at = models.DateTimeField(default=timezone.now, db_default=Now())
    answered_at = models.DateTimeField(null=True)
    next_look_at = models.DateTimeField(
        null=True,
        db_default=Now(),
        db_comment="for what nobody got; while claimed, the lease's end",
    )
    forget_at = models.DateTimeField(
        null=True,
        db_comment="when the provider is told to forget it; while claimed, the lease's end",
    )
    forgotten_at = models.DateTimeField(null=True, db_comment="as the provider confirmed")

    class Meta:
        ordering = ("number",)
        constraints = [
            models.UniqueConstraint(
                fields=["generation", "number"], name="attempt_number_unique_in_generation"
            ),
            models.UniqueConstraint(
                fields=["prefix"], condition=~Q(prefix=""), name="attempt_place_is_its_own"
            ),
            models.CheckConstraint(
                condition=Q(
                    outcome__in=[
                        "asked",
                        "accepted",
                        "not_accepted",
                        "rejected",
                        "unknown",
                        "adopted",
                    ]
                ),
                name="attempt_outcome_is_known",
            ),
        ]
        indexes = [
            # read by generation/outputs/orphans.py: settled attempts, nearly all of them, are not
            # in it
            models.Index(
                fields=["next_look_at"],
                condition=Q(next_look_at__isnull=False),
                name="attempt_to_look_at",
            ),
            # read by generation/outputs/forgetting.py: only what a backend remembers is in it
            models.Index(
                fields=["forget_at"],
                condition=Q(forget_at__isnull=False),
                name="attempt_to_forget",
            ),
        ]

    def __str__(self) -> str:
        return f"attempt {self.number} of {self.generation_id}: {self.outcome}"


class Orphan(models.Model):
    """An output we paid for and no customer gets: kept for the operator, never charged again."""

    attempt = models.OneToOneField(Attempt, on_delete=models.PROTECT, related_name="orphan")
    uri = models.CharField(max_length=500)
    found_at = models.DateTimeField(default=timezone.now, db_default=Now())
    note = models.CharField(max_length=200, blank=True)

    def __str__(self) -> str:
        return self.uri
