"""How far a generation is, when it may be ready and when to ask again.

All of it comes from the generation's row and the database's clock, so that a status stays one
SELECT. A row does not know its place in the queue (``provider/gate.py``), so a queued one has no
estimate until its turn has come (decision 28).
"""

from __future__ import annotations

import math
from datetime import datetime, timedelta

from django.conf import settings

from generation.models import CatalogModel, Generation
from generation.models.states import State

STEPS = 20  # of 0.05, contract section 4; only what is completed is at the last
# The highest step before anything is with the provider, before there is an output, and with one.
# An image is asked for in one call that may be refused and repeated, with no sign of life before
# its answer: at most half way.
WAITING, ASKED_IMAGE, GENERATING, SAVING = 2, 10, 18, 19

# A reader may have seen up to 5 s more than ``finished_at`` says; progress must not go back.
COMMIT = timedelta(seconds=5)
SAVING_SECONDS = 5.0  # to fetch, check and keep an output; mostly 1 to 2
LONGEST_WAIT = 30  # seconds between two asks

STAGES = {
    State.QUEUED: "queued",
    State.SUBMITTING: "generating",
    State.SUBMIT_UNKNOWN: "generating",
    State.RUNNING: "generating",
    State.STORING: "saving",
}
STAGE_NAMES = tuple(dict.fromkeys(STAGES.values()))


def step(generation: Generation, now: datetime) -> int:
    """0 to 20, never back.

    It is made of facts that a row only gains (asked, accepted, an output, an end) and of times that
    only grow; never of a state, which may go back to an earlier one. A later fact is worth at least
    all that an earlier one can reach. A failed or canceled one stands where it was at its end.
    """
    if generation.state == State.COMPLETED:
        return STEPS
    if generation.output_uri:
        return SAVING
    until = now if generation.finished_at is None else generation.finished_at + COMMIT
    expected = generation.expected_seconds
    asked_image = generation.kind == CatalogModel.Kind.IMAGE and generation.provider_model != ""
    before = ASKED_IMAGE if asked_image else WAITING
    if generation.accepted_at is not None:
        return before + _steps(GENERATING - before, until - generation.accepted_at, expected)
    elapsed = until - generation.created_at
    return _steps(before, elapsed, expected / 2 if asked_image else expected)


def _steps(most: int, elapsed: timedelta, seconds: float) -> int:
    """Evenly over ``seconds``, then no more."""
    share = elapsed.total_seconds() / max(seconds, 0.001)
    return math.floor(most * min(max(share, 0.0), 1.0))


def stage(generation: Generation) -> str | None:
    """What is being done for it, in a word; None when it is over."""
    return STAGES.get(State(generation.state))


def expected_end(generation: Generation, now: datetime) -> datetime | None:
    """When it should be ready. None if nobody knows: it is queued, in doubt, or late already.

    Between two versions of a row it only ever turns to None.
    """
    seconds = generation.expected_seconds
    if generation.state == State.RUNNING:
        begun = generation.accepted_at
    elif generation.state == State.SUBMITTING:
        begun = generation.updated_at  # each state's beginning
    elif generation.state == State.STORING:
        begun, seconds = generation.updated_at, SAVING_SECONDS * settings.TIME_SCALE
    else:
        return None
    end = (begun or generation.updated_at) + timedelta(seconds=seconds)
    return end if end > now else None


def retry_after(generation: Generation, now: datetime) -> int:
    """In how many seconds it makes sense to ask again, 1 to 30.

    It is never before our own next look, since nothing can have changed. While the row runs it is
    half of what is left, so that the asks come closer towards the end. While the row is queued it
    is the longer, the longer the row has waited.
    """
    if generation.state == State.RUNNING:
        end = expected_end(generation, now) or now
        wait = (end - now).total_seconds() / 2
    elif generation.state == State.STORING:
        wait = (now - generation.updated_at).total_seconds() / 4
    else:
        waited = (now - generation.created_at).total_seconds()
        wait = (generation.expected_seconds + waited) / 6
    if generation.next_attempt_at is not None and generation.lease_token is None:
        wait = max(wait, (generation.next_attempt_at - now).total_seconds())
    return max(1, min(LONGEST_WAIT, math.ceil(wait)))
