"""Protects the provider, and customers from each other: rate, open operations, turns, breaker.

A claim of queued rows goes through the model's gate. The gate's row is locked only for the claim;
a worker that finds it locked leaves the model to the worker that holds it.
"""

from __future__ import annotations

import math
from datetime import datetime, timedelta
from typing import Any, Literal

from django.conf import settings
from django.db import connection, transaction
from django.db.models import F
from django.db.models.functions import Now

from generation.backends import base
from generation.models import CatalogModel, Generation
from generation.models.gate import ProviderGate
from generation.models.states import State
from generation.provider import model_ids
from work import due
from work.waits import jitter

# Of a quota of N a minute, N/10 may come at once and the rest evenly: so no 60 seconds ever see
# more than N, wherever they begin.
BURST_SHARE = 0.1
WINDOW = 60.0  # seconds over which the breaker counts
MIN_CALLS = 20  # fewer say nothing
FAILURE_SHARE = 0.5
MAX_QUOTA_ERRORS = 5  # in a row
HELD = 60.0  # seconds without submits after an output could not be stored
FIRST_PAUSE, LONGEST_PAUSE = 10.0, 300.0  # seconds the breaker stays open, doubled each time

# A good answer changes nothing of these: it is one more call.
NOTHING_WRONG: dict[str, Any] = {
    **dict.fromkeys(("trips", "quota_errors", "gone", "pauses", "first_gone"), 0),
    **dict.fromkeys(("open_until", "probe_until", "paused_until", "fallback_until")),
}

# With the provider, or perhaps with it.
AT_PROVIDER = (State.SUBMITTING, State.SUBMIT_UNKNOWN, State.RUNNING)

Result = Literal["works", "fails", "quota", "gone"]

# The order: a row's turn is its place among its account's waiting rows, plus the number of rows
# that the account has under way. So accounts take turns, and one with many rows under way waits for
# those with fewer. Other orders are IN_ORDER of work/due.py and generation/inputs/image_queue.py.
# At most one row is a suspect (work/due.py).
# `due` locks the chosen rows in a step of its own: a query with a window function cannot lock any.
# FULL JOIN: the planner expects hardly an open row among millions of finished ones. A LEFT JOIN
# would read all of `under_way` again for each waiting row; a FULL JOIN is never done so. COALESCE
# around `place` keeps the planner from making it a LEFT JOIN.
# COALESCE around `next_attempt_at` fits no index, so that the ids find the rows to lock.
CLAIM = due.Claim(
    Generation,
    """
WITH asked AS (
    SELECT account_id, count(*) AS rows FROM generation_generation
     WHERE model_id = %(model)s::varchar AND state = ANY(%(asked)s::varchar[])
       AND next_attempt_at IS NOT NULL
     GROUP BY account_id
), preparing AS (
    SELECT account_id, count(*) AS rows FROM generation_generation
     WHERE images_until IS NOT NULL AND state = 'queued' AND model_id = %(model)s::varchar
       AND lease_token IS NOT NULL AND next_attempt_at > now()
     GROUP BY account_id
), under_way AS (
    SELECT account_id, sum(rows)::bigint AS rows
      FROM (SELECT * FROM asked UNION ALL SELECT * FROM preparing) AS every GROUP BY account_id
), waiting AS (
    SELECT id, account_id, created_at,
           row_number() OVER (PARTITION BY account_id ORDER BY created_at, id) AS place
      FROM generation_generation
     WHERE model_id = %(model)s::varchar AND state = 'queued' AND next_attempt_at <= now()
       AND images_until IS NULL
       AND (strikes < %(suspect)s::int OR id = (
            SELECT id FROM generation_generation
             WHERE model_id = %(model)s::varchar AND state = 'queued' AND next_attempt_at <= now()
               AND images_until IS NULL AND strikes >= %(suspect)s::int
             ORDER BY next_attempt_at LIMIT 1))
), chosen AS (
    SELECT id FROM waiting FULL JOIN under_way USING (account_id)
     WHERE COALESCE(place, 0) > 0
     ORDER BY place + COALESCE(rows, 0), created_at LIMIT %(places)s::int
), due AS (
    SELECT id FROM generation_generation
     WHERE id = ANY(ARRAY(SELECT id FROM chosen)) AND state = 'queued'
       AND COALESCE(next_attempt_at, 'infinity') <= now()
       FOR UPDATE SKIP LOCKED
)""",
)


def claim(limit: int) -> list[Generation]:
    """Lease up to ``limit`` queued rows, of all models, that may be asked for now."""
    rows: list[Generation] = []
    if limit <= 0:
        return rows
    waiting = Generation.objects.filter(
        state=State.QUEUED,
        images_until__isnull=True,  # the others have yet to be prepared
        next_attempt_at__isnull=False,
        next_attempt_at__lte=Now(),
    )
    names = list(waiting.order_by().values_list("model_id", flat=True).distinct())
    for name in names:
        if len(rows) < limit:
            rows += _claim_of(name, limit - len(rows))
    return rows


def _claim_of(name: str, limit: int) -> list[Generation]:
    with transaction.atomic():
        found = _locked(name)
        if found is None:
            return []
        gate, now = found
        places = min(limit, _places(gate, now))
        if places <= 0:
            return []
        asked = [str(state) for state in AT_PROVIDER]
        rows = CLAIM.rows(settings.LEASE, model=name, asked=asked, places=places)
        start = max(gate.next_submit_at, now)
        gate.next_submit_at = start + timedelta(seconds=_interval(gate.model) * len(rows))
        if rows and gate.open_until is not None:
            # the probe: nobody else asks before it is answered or its lease is over
            gate.open_until = now + timedelta(seconds=settings.LEASE)
        if rows and gate.pauses:
            gate.probe_until = now + timedelta(seconds=settings.LEASE)
        gate.save(update_fields=["next_submit_at", "open_until", "probe_until"])
    return rows


def record(name: str, result: Result, retry_after: float | None = None, *, asked: str = "") -> None:
    """Record how a call went, and open or close the breaker.

    ``quota`` is a 429; ``retry_after`` is what the provider asked for, in seconds. ``gone`` is an
    unknown id; ``asked`` is the id. It is no fault of the provider's, so the breaker ignores it.
    """
    healthy = ProviderGate.objects.filter(pk=name, window_ends_at__gt=Now(), **NOTHING_WRONG)
    if result == "works" and healthy.update(calls=F("calls") + 1):
        return  # one statement for nearly all answers
    with transaction.atomic():
        gates = ProviderGate.objects.select_related("model").select_for_update(of=("self",))
        gate = gates.filter(pk=name).first()
        if gate is None:
            return
        now = _database_time()
        gate.probe_until = None
        if result in ("works", "gone"):
            model_ids.record_answer(gate, asked, now, known=result == "works")
        if result == "gone":
            gate.save()
            return
        if gate.window_ends_at <= now:
            gate.calls = gate.failures = 0
            gate.window_ends_at = now + timedelta(seconds=WINDOW * settings.TIME_SCALE)
        gate.calls += 1
        gate.failures += result != "works"
        gate.quota_errors = gate.quota_errors + 1 if result == "quota" else 0
        if result == "works":
            gate.open_until, gate.trips = None, 0
        elif gate.open_until is not None or _is_too_much(gate):
            pause = min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** min(gate.trips, 8))
            pause = jitter(pause * settings.TIME_SCALE)
            pause = max(pause, min(retry_after or 0.0, LONGEST_PAUSE))
            gate.open_until = now + timedelta(seconds=pause)
            gate.trips = min(gate.trips + 1, 1000)
        gate.save()


def judge(outcome: Any) -> Result:
    """What an answer says about the provider. A customer's bad prompt is no fault of it."""
    if isinstance(outcome, base.ModelGone):
        return "gone"
    if isinstance(outcome, base.NotAccepted):
        return "quota" if outcome.is_quota else "fails"
    if isinstance(outcome, base.Rejected):
        return "fails" if outcome.operator_fault else "works"
    return "works" if isinstance(outcome, base.Accepted | base.Produced) else "fails"


def hold() -> None:
    """Nothing can be stored: buy nothing for a minute.

    Each try to store that fails holds the gates for another minute. So they stay closed as long as
    there is something to store and no room for it.
    """
    until = Now() + timedelta(seconds=HELD * settings.TIME_SCALE)
    ProviderGate.objects.update(held_until=until)


def _is_too_much(gate: ProviderGate) -> bool:
    if gate.quota_errors >= MAX_QUOTA_ERRORS:
        return True
    return gate.calls >= MIN_CALLS and gate.failures >= gate.calls * FAILURE_SHARE


def _places(gate: ProviderGate, now: datetime) -> int:
    """How many may be asked for now, by breaker, rate and bound on open operations."""
    if gate.is_closed(now):
        return 0
    model = gate.model
    there = Generation.objects.filter(model=model, state__in=AT_PROVIDER)
    room = model.max_open_operations - there.filter(next_attempt_at__isnull=False).count()
    if gate.open_until is not None or gate.pauses:
        return min(1, room)
    interval = _interval(model)
    burst = max(1.0, model.submits_per_minute * BURST_SHARE)
    ahead = max(0.0, (gate.next_submit_at - now).total_seconds())
    return min(room, math.floor(burst - ahead / interval + 1e-6))


def _interval(model: CatalogModel) -> float:
    """Seconds between two submits in the long run."""
    rate = max(1.0, model.submits_per_minute * (1 - BURST_SHARE))
    return 60.0 * settings.TIME_SCALE / rate


def _locked(name: str) -> tuple[ProviderGate, datetime] | None:
    """The gate, locked, and the database's time; None while another worker claims through it."""
    gates = ProviderGate.objects.select_for_update(skip_locked=True, of=("self",))
    asked_for = gates.select_related("model").annotate(now=Now()).filter(pk=name)
    gate = asked_for.first()
    if gate is None and not ProviderGate.objects.filter(pk=name).exists():
        first = ProviderGate(model_id=name, next_submit_at=Now(), window_ends_at=Now())
        ProviderGate.objects.bulk_create([first], ignore_conflicts=True)
        gate = asked_for.first()
    return None if gate is None else (gate, gate.now)


def _database_time() -> datetime:
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        now: datetime = cursor.fetchone()[0]
    return now
