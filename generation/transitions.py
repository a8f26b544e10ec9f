"""The guarded UPDATE of a generation, its event and its attempt's outcome: one transaction.

An end also writes the event that customers are told of (``events/outbox.py``), and wakes its
sender.

Only ``lifecycle.py``, ``waiting.py`` and ``interventions.py`` call this.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from datetime import timedelta
from functools import partial
from typing import Any

from django.db import connection, transaction
from django.db.models import F, QuerySet
from django.db.models.functions import Least, Now

from common.telemetry.redaction import cut_text
from credits import ledger
from events import outbox
from events.models import Type
from generation.metrics import count_ended, count_fenced
from generation.models import Attempt, Generation, GenerationEvent
from generation.models.states import TERMINAL, State
from work.wake import wake

# An attempt, and the columns that say what became of it.
Answer = tuple[Attempt, dict[str, Any]]

# What customers are told of an end.
TOLD = {
    State.COMPLETED: Type.COMPLETED,
    State.FAILED: Type.FAILED,
    State.CANCELED: Type.CANCELED,
}

logger = logging.getLogger(__name__)

WRITTEN = """
SELECT version, (SELECT data ->> 'request_id' FROM generation_generationevent
                  WHERE generation_id = row.id AND sequence = 1), webhook_url
  FROM generation_generation AS row WHERE id = %s
"""

RELEASE = """
UPDATE generation_generation AS row
   SET next_attempt_at = LEAST(now() + due.wait * interval '1 second', row.deadline_at),
       lease_token = NULL, strikes = 0, retries = 0
  FROM unnest(%(ids)s::uuid[], %(tokens)s::uuid[], %(waits)s::float8[]) AS due (id, token, wait)
 WHERE row.id = due.id AND row.lease_token = due.token AND row.state = %(state)s
"""
# Takes a claim back that came to nothing through no fault of the row.
HAND_BACK = """
UPDATE generation_generation AS row
   SET next_attempt_at = now(), lease_token = NULL, strikes = GREATEST(row.strikes - 1, 0)
  FROM unnest(%(ids)s::uuid[], %(tokens)s::uuid[]) AS held (id, token)
 WHERE row.id = held.id AND row.lease_token = held.token
   AND row.next_attempt_at IS NOT NULL
"""


def move(
    generation: Generation,
    sources: Iterable[State],
    state: State,
    *,
    data: dict[str, Any] | None = None,
    answer: Answer | None = None,
    keep_lease: bool = False,
    lease: bool = True,
    **changes: Any,
) -> bool:
    """The guarded UPDATE, its event and the attempt's outcome; False when the guard failed.

    An end is announced to the customer in the same transaction, last of all: after the caller has
    locked generation and wallet.
    ``lease=False`` is for callers that hold the row's lock: they need no worker's lease.
    Text for operators is redacted, because an exception may quote a prompt or a link.
    """
    terminal = state in TERMINAL
    if isinstance(said := changes.get("last_error"), str):
        changes["last_error"] = cut_text(said)
    changes |= {"state": state, "version": F("version") + 1, "updated_at": Now(), "strikes": 0}
    if terminal:
        changes["next_attempt_at"] = None
    if not keep_lease:
        changes["lease_token"] = None
    changes.setdefault("retries", 0)
    changes["images_until"] = None  # only what is queued awaits any
    guard = held_row(generation, sources) if lease else open_row(generation, sources)
    with transaction.atomic():
        if not guard.update(**changes):
            count_fenced()
            return False
        version, made_by, webhook_url = _written(generation)
        GenerationEvent.objects.create(
            generation=generation,
            sequence=version,
            state=state,
            is_terminal=terminal,
            data=data or {},
            created_at=Now(),
        )
        if answer is not None:
            attempt, columns = answer
            if "detail" in columns:
                columns = columns | {"detail": cut_text(columns["detail"])}
            if "outcome" in columns:
                columns = columns | {"answered_at": Now()}
            Attempt.objects.filter(pk=attempt.pk).update(**columns)
        if terminal:
            if outbox.announce(generation.account_id, generation.pk, TOLD[state], webhook_url):
                transaction.on_commit(partial(wake, "deliver"))
            count_ended(generation, state, str(changes.get("error_code", "")))
        if logger.isEnabledFor(logging.INFO):
            line = _line(generation, state, version, made_by, data or {}, answer)
            transaction.on_commit(lambda: logger.info("generation %s", state.value, extra=line))
    return True


def _written(generation: Generation) -> tuple[int, str | None, str | None]:
    """The row's new version, the id of the request that made it, and its order's URL."""
    with connection.cursor() as cursor:
        cursor.execute(WRITTEN, [generation.pk])
        version, made_by, webhook_url = cursor.fetchone()
    return version, made_by, webhook_url


def _line(
    generation: Generation,
    state: State,
    version: int,
    made_by: str | None,
    data: dict[str, Any],
    answer: Answer | None,
) -> dict[str, Any]:
    """The log's fields for a move. Free text goes to ``last_error`` alone."""
    line: dict[str, Any] = {"generation_id": str(generation.pk), "request_id": made_by}
    line |= {"account_id": generation.account_id, "state": state.value, "was": generation.state}
    line |= {"version": version}
    number = answer[0].number if answer else data.get("attempt")
    reason = data.get("code") or (answer[1].get("outcome") if answer else None)
    line |= {"attempt": number, "reason": None if reason is None else str(reason)}
    return {name: value for name, value in line.items() if value is not None}


def stay(
    generation: Generation, states: Iterable[State], wait: float, changes: dict[str, Any]
) -> bool:
    """The guarded UPDATE of a row that stays in its state; it goes on in ``wait`` seconds."""
    if not held_row(generation, states).update(**changes):
        count_fenced()
        return False
    if "last_error" in changes:
        line = {"generation_id": str(generation.pk), "account_id": generation.account_id}
        line |= {"state": str(generation.state), "wait_s": round(wait, 1)}
        transaction.on_commit(lambda: logger.info("generation postponed", extra=line))
    return True


def end_undelivered(
    generation: Generation,
    sources: Iterable[State],
    state: State,
    description: str,
    *,
    data: dict[str, Any] | None = None,
    answer: Answer | None = None,
    lease: bool = True,
    **changes: Any,
) -> bool:
    """Lock the row, refund the charge, end the row: in the caller's transaction.

    The refund's id is in the same UPDATE as the end, because a CHECK asks for both. What the house
    had paid goes back to the house. ``lease=False``: the caller has locked the row, which is in
    one of ``sources``.
    """
    if lease and not lock(held_row(generation, sources)):
        count_fenced()
        return False
    refund = ledger.refund(generation.charge_id, description)
    changes |= {"refund_id": refund, "finished_at": Now()}
    if generation.grant_id is not None:
        said = f"Taken back: granted to try {generation.retry_of_id} again"  # the customer reads it
        changes["adjustment_id"] = ledger.take_back(generation.grant_id, generation.pk, said)
    return move(generation, sources, state, data=data, answer=answer, lease=lease, **changes)


def release(state: State, waits: Sequence[tuple[Generation, float]]) -> int:
    """Make rows in ``state`` due again in so many seconds; return how many were still held."""
    values: dict[str, Any] = {
        "state": str(state),
        "ids": [generation.pk for generation, _ in waits],
        "tokens": [generation.lease_token for generation, _ in waits],
        "waits": [wait for _, wait in waits],
    }
    with connection.cursor() as cursor:
        cursor.execute(RELEASE, values)
        held = int(cursor.rowcount)
    count_fenced(len(waits) - held)
    return held


def hand_back(generations: Sequence[Generation]) -> int:
    """Make claimed rows due at once, for any worker; return how many were still held."""
    values: dict[str, Any] = {
        "ids": [generation.pk for generation in generations],
        "tokens": [generation.lease_token for generation in generations],
    }
    with connection.cursor() as cursor:
        cursor.execute(HAND_BACK, values)
        return int(cursor.rowcount)


def open_row(generation: Generation, sources: Iterable[State]) -> QuerySet[Generation]:
    """The row, if it is in one of ``sources``."""
    return Generation.objects.filter(pk=generation.pk, state__in=list(sources))


def held_row(generation: Generation, sources: Iterable[State]) -> QuerySet[Generation]:
    """The row, if it is in one of ``sources`` and still leased as when ``generation`` was read."""
    return open_row(generation, sources).filter(
        lease_token=generation.lease_token, lease_token__isnull=False
    )


def lock(guard: QuerySet[Generation]) -> bool:
    """Lock the row, and change nothing yet; False when the guard failed."""
    return bool(list(guard.select_for_update().values_list("pk")))


def in_seconds(seconds: float) -> Any:
    """That many seconds from now, but never after the deadline: then one last look is due."""
    return Least(Now() + timedelta(seconds=seconds), F("deadline_at"))
