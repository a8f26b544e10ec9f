"""What is asked inside Django, in `manage.py shell` on a stack: claims and the ledger's check."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from statistics import median
from typing import Any

from django.conf import settings
from django.db import connection
from django.http import HttpRequest

from accounts.models import User
from console import entrance
from console.middleware import COOKIE
from console.sessions import SessionStore
from credits.books import check_ledger
from generation.models import Generation
from generation.models.states import State
from generation.provider import gate
from work import due

BATCH = 20
# The seeded rows are due in a year; a claim chooses among some that are due now.
MAKE_DUE = """
UPDATE generation_generation SET next_attempt_at = now() - interval '1 minute'
 WHERE id IN (SELECT id FROM generation_generation WHERE next_attempt_at IS NOT NULL
               AND state = %s ORDER BY next_attempt_at DESC LIMIT 200)
"""
# The claim is measured, and not the waits and bounds of the gate.
OPEN_GATES = """
UPDATE generation_providergate
   SET next_submit_at = now(), open_until = NULL, held_until = NULL
"""
RELEASE = """
UPDATE generation_generation
   SET next_attempt_at = now() - interval '1 minute', lease_token = NULL, strikes = 0
 WHERE next_attempt_at IS NOT NULL AND lease_token IS NOT NULL
"""
LIFT_BOUND = "UPDATE generation_catalogmodel SET max_open_operations = 1000000"


def tell(found: dict[str, Any]) -> None:
    json.dump(found, sys.stdout)


def session(person: str) -> dict[str, str]:
    """The cookie of somebody who has just logged in to the console."""
    request = HttpRequest()
    request.META["REMOTE_ADDR"] = "127.0.0.1"
    request.session = SessionStore()
    entrance.enter(request, User.objects.get(pk=person))
    request.session.save()
    return {COOKIE: str(request.session.session_key)}


def claims(times: int) -> dict[str, float]:
    """Median milliseconds of a claim of a whole batch, and of its choosing statement alone.

    The claimed rows are released.
    """
    asked: dict[str, tuple[State, Callable[[], list[Generation]]]] = {
        "submit": (State.QUEUED, lambda: gate.claim(BATCH)),
        "poll": (
            State.RUNNING,
            lambda: due.claim(Generation, (State.RUNNING,), BATCH, settings.LEASE),
        ),
    }
    found = {}
    for kind, (state, ask) in asked.items():
        with connection.cursor() as cursor:
            cursor.execute(MAKE_DUE, [state])
        took = [_claim_ms(state, ask) for _ in range(times)]
        found[kind] = median(whole for whole, _ in took)
        found[f"{kind} statement"] = median(statement for _, statement in took)
    return found


def ledger() -> dict[str, float]:
    """How many entries check_ledger read, in how many seconds. A difference is an error."""
    began = time.perf_counter()
    result = check_ledger()
    took = time.perf_counter() - began
    if result.differences:
        raise ValueError(result.differences[0].problem)
    return {"entries": result.counts["entries"], "seconds": took}


def _claim_ms(state: State, ask: Callable[[], list[Generation]]) -> tuple[float, float]:
    """Raises ValueError when the claim did not get a batch: then it was no measurement.

    Everything is committed, as a worker does. In one transaction
    the claim would check all keys of the rows again, and a rollback drops prepared statements.
    """
    with connection.cursor() as cursor:
        cursor.execute(OPEN_GATES)
        cursor.execute(LIFT_BOUND)
    statement = _Timed()
    began = time.perf_counter()
    with connection.execute_wrapper(statement):
        rows = ask()
    took = time.perf_counter() - began
    with connection.cursor() as cursor:
        cursor.execute(RELEASE)
    if len(rows) != BATCH:
        raise ValueError(f"{len(rows)} of {BATCH} {state} rows were claimed")
    return took * 1e3, statement.seconds * 1e3


class _Timed:
    """How long the claim itself took, among the statements around it."""

    seconds = 0.0

    def __call__(self, execute: Callable[..., Any], sql: str, *rest: Any) -> Any:
        began = time.perf_counter()
        try:
            return execute(sql, *rest)
        finally:
            if sql.lstrip().startswith("WITH"):
                self.seconds += time.perf_counter() - began
