"""The states of a generation and the words clients see for them (ARCHITECTURE.md)."""

from __future__ import annotations

from django.db import models


class State(models.TextChoices):
    """Open ones are always scheduled; terminal ones never change again."""

    QUEUED = "queued"  # charged, and not with the provider
    SUBMITTING = "submitting"  # the intent is committed, the provider is being asked
    SUBMIT_UNKNOWN = "submit_unknown"  # it may have been bought: look into the attempt's place
    RUNNING = "running"  # the provider works on it, under an operation name
    STORING = "storing"  # the output exists at the provider; copy it and check it
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELED = "canceled"


OPEN = (State.QUEUED, State.SUBMITTING, State.SUBMIT_UNKNOWN, State.RUNNING, State.STORING)
TERMINAL = (State.COMPLETED, State.FAILED, State.CANCELED)
UNDELIVERED = (State.FAILED, State.CANCELED)

PROCESSING = "processing"
PUBLIC_STATUSES = (PROCESSING, *(str(state) for state in TERMINAL))

ERROR_CODES = (
    "content_filtered",
    "invalid_source_image",
    "provider_rejected",
    "provider_error",
    "empty_result",
    "timeout",
    "submission_lost",
)


def public_status(state: str) -> str:
    """``processing`` for every open state, else the state itself."""
    return PROCESSING if state in OPEN else str(state)


def states_of(status: str) -> tuple[State, ...]:
    """The states behind a public status."""
    return OPEN if status == PROCESSING else (State(status),)
