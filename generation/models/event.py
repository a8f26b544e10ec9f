"""What happened to a generation, for operators and for the customer's timeline."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils import timezone

from generation.models.states import OPEN, TERMINAL, State


class GenerationEvent(models.Model):
    """What happened to a generation, append-only, numbered by its version; one is terminal."""

    generation = models.ForeignKey(
        "generation.Generation", on_delete=models.PROTECT, related_name="events", db_index=False
    )
    sequence = models.PositiveIntegerField()
    state = models.CharField(max_length=14, choices=State.choices)
    is_terminal = models.BooleanField(default=False)
    data = models.JSONField(default=dict)
    created_at = models.DateTimeField(default=timezone.now, db_default=Now())

    class Meta:
        ordering = ("sequence",)
        constraints = [
            models.UniqueConstraint(
                fields=["generation", "sequence"], name="event_sequence_unique_in_generation"
            ),
            models.UniqueConstraint(
                fields=["generation"],
                condition=Q(is_terminal=True),
                name="event_terminal_once_a_generation",
            ),
            models.CheckConstraint(
                condition=Q(is_terminal=True, state__in=[state.value for state in TERMINAL])
                | Q(is_terminal=False, state__in=[state.value for state in OPEN]),
                name="event_terminal_iff_state_is",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.generation_id} #{self.sequence} {self.state}"
