"""Rows that wait on in the state in which they were claimed.

An order whose source images are awaited stays queued, and ``images_until`` says until when
(decision 22). To the customer, to a cancel, to the deadline and to an older release it is queued,
and nothing can have been bought.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db.models import F
from django.db.models.functions import Least, Now

from common.telemetry.redaction import cut_text
from generation import transitions
from generation.models import Generation
from generation.models.states import OPEN, State
from generation.transitions import in_seconds, stay


def hand_back(generations: Sequence[Generation]) -> int:
    """Make rows due at once, for any worker, without a strike; return how many were still held.

    A row whose request was sent stays ``submitting``; its next claim puts it in doubt.
    """
    return transitions.hand_back(generations)


def postpone(generation: Generation, wait: float, detail: str = "", *, counts: bool = True) -> bool:
    """Do the same again in ``wait`` seconds: nothing has changed, or it did not work this time.

    A ``detail`` says what did not work; it is counted in ``retries`` if it ``counts``.
    """
    changes: dict[str, Any] = {"next_attempt_at": in_seconds(wait)}
    changes |= {"lease_token": None, "strikes": 0}
    if detail:
        changes |= {"retries": F("retries") + int(counts), "last_error": cut_text(detail)}
    return stay(generation, OPEN, wait, changes)


def images_ready(generation: Generation) -> bool:
    """The source images are in our storage: the provider may be asked when its gate lets it."""
    changes = {"images_until": None, "next_attempt_at": Now(), "lease_token": None, "strikes": 0}
    return stay(generation, [State.QUEUED], 0.0, changes)


def await_images(generation: Generation, wait: float, detail: str) -> bool:
    """The source images are not in our storage: prepare them (again) in ``wait`` seconds."""
    until = Least(Now() + timedelta(seconds=settings.IMAGES_TIME), F("deadline_at"))
    changes = {
        "images_until": until,
        "next_attempt_at": in_seconds(wait),
        "lease_token": None,
        "strikes": 0,
        "retries": F("retries") + 1,
        "last_error": cut_text(detail),
    }
    return stay(generation, [State.QUEUED], wait, changes)


def poll_again(waits: Sequence[tuple[Generation, float]]) -> int:
    """Poll running operations again in so many seconds each; return how many rows were held."""
    return transitions.release(State.RUNNING, waits)


def await_build(generation: Generation, wait: float, detail: str) -> bool:
    """Try again in ``wait`` seconds, even past the deadline: this build cannot look at it."""
    changes = {
        "next_attempt_at": Now() + timedelta(seconds=wait),
        "lease_token": None,
        "strikes": 0,
        "last_error": cut_text(detail),
    }
    return stay(generation, OPEN, wait, changes)


def keep_error(generation: Generation, detail: str) -> bool:
    """Keep what went wrong in our own code, for operators; the lease and the rest stay."""
    return bool(transitions.held_row(generation, OPEN).update(last_error=cut_text(detail)))
