"""The figures of the operators' dashboard: a statement each, by an index.

A statement reads what is open, what ended in the last day, or the entries of two weeks. Its cost
does not grow with the years.
"""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import connection

from generation.models import CatalogModel, Orphan, ProviderGate
from generation.models.states import OPEN

HOURS = 24
DAYS = 14
NEWEST = 5_000  # completed generations, or attempts, that a figure is made of
ORPHAN_DAYS = 7

OPEN_BY_STATE = """
SELECT state, count(*), EXTRACT(epoch FROM now() - min(created_at))::float8,
       GREATEST(EXTRACT(epoch FROM now() - min(next_attempt_at)), 0)::float8
  FROM generation_generation WHERE next_attempt_at IS NOT NULL GROUP BY state
"""
# One range of the index generation_finished for each state. Only columns of the index are read.
ENDED = """
SELECT date_bin('1 hour', finished_at, %(since)s), state, count(*)
  FROM generation_generation
 WHERE state = ANY(ARRAY['completed', 'failed', 'canceled']) AND finished_at IS NOT NULL
   AND finished_at >= %(since)s
 GROUP BY 1, 2
"""
REASONS = """
SELECT error_code, count(*) FROM generation_generation
 WHERE state = 'failed' AND finished_at IS NOT NULL AND finished_at >= %(since)s
 GROUP BY 1 ORDER BY 2 DESC, 1
"""
TOOK = """
SELECT model_id, count(*), percentile_cont(ARRAY[0.5, 0.95]) WITHIN GROUP (ORDER BY seconds)
  FROM (SELECT model_id, EXTRACT(epoch FROM finished_at - created_at)::float8 AS seconds
          FROM generation_generation
         WHERE state = 'completed' AND finished_at IS NOT NULL
           AND finished_at >= now() - %(hours)s * interval '1 hour'
         ORDER BY finished_at DESC LIMIT %(newest)s) AS newest
 GROUP BY model_id
"""
MONEY = """
SELECT date_bin('1 day', created_at, %(since)s), kind, sum(amount)::bigint
  FROM credits_ledgerentry WHERE created_at >= %(since)s AND created_at < %(until)s GROUP BY 1, 2
"""
CALLS = """
SELECT provider_model, outcome, count(*)
  FROM (SELECT provider_model, outcome, asked_at FROM generation_attempt
         ORDER BY id DESC LIMIT %(newest)s) AS newest
 WHERE asked_at >= now() - interval '1 hour'
 GROUP BY 1, 2
"""


@dataclass(frozen=True, slots=True)
class OpenState:
    """The open rows of one state; seconds since the oldest was ordered, and since one is due."""

    state: str
    count: int
    oldest: float
    overdue: float


@dataclass(frozen=True, slots=True)
class Hour:
    """What ended in one hour: the counts of completed, failed and canceled."""

    begins: datetime
    completed: int
    failed: int
    canceled: int


@dataclass(frozen=True, slots=True)
class TimeTaken:
    """How long a model took, in seconds, against what customers are told."""

    model: str
    count: int
    p50: float
    p95: float
    told: str
    is_late: bool


@dataclass(frozen=True, slots=True)
class Day:
    """Credits of one day, in UTC. ``sold`` is less what was taken back, so it may be below 0."""

    day: date
    sold: int
    granted: int
    spent: int
    refunded: int


@dataclass(frozen=True, slots=True)
class ModelCalls:
    """The last hour's attempts of a model of the provider's, by outcome."""

    provider_model: str
    outcomes: dict[str, int]


def open_by_state() -> list[OpenState]:
    """All open states, also those without a row."""
    found = {row[0]: OpenState(*row) for row in _rows(OPEN_BY_STATE)}
    return [found.get(str(state), OpenState(str(state), 0, 0.0, 0.0)) for state in OPEN]


def ended(now: datetime) -> tuple[list[Hour], list[tuple[str, int]]]:
    """The last 24 hours, of which the last is under way, and the error codes of what failed."""
    first = now.replace(minute=0, second=0, microsecond=0) - timedelta(hours=HOURS - 1)
    rows = _rows(ENDED, since=first)
    counts = defaultdict(int, {(hour, state): count for hour, state, count in rows})
    hours = [
        Hour(hour, *(counts[hour, state] for state in ("completed", "failed", "canceled")))
        for hour in (first + timedelta(hours=hour) for hour in range(HOURS))
    ]
    return hours, _rows(REASONS, since=first)


def times_taken() -> list[TimeTaken]:
    """By model, in the catalog's order: the newest that were completed in the last 24 hours."""
    took = {row[0]: row[1:] for row in _rows(TOOK, hours=HOURS, newest=NEWEST)}
    found = []
    for model in CatalogModel.objects.all():
        count, (p50, p95) = took.get(model.pk, (0, (0.0, 0.0)))
        late = count > 0 and p95 > _most_seconds(model)
        found.append(TimeTaken(model.pk, count, p50, p95, _told(model), late))
    return found


def today(now: datetime) -> datetime:
    return now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)


def money(since: datetime, days: int) -> list[Day]:
    """So many days from ``since``, the newest first."""
    rows = _rows(MONEY, since=since, until=since + timedelta(days=days))
    sums = defaultdict(int, {(day, kind): amount for day, kind, amount in rows})
    begins = [since + timedelta(days=number) for number in reversed(range(days))]
    return [
        Day(
            day=day.date(),
            sold=sum(sums[day, kind] for kind in ("purchase", "reversal", "reinstated")),
            granted=sums[day, "grant"],
            spent=-sums[day, "charge"],
            refunded=sums[day, "refund"],
        )
        for day in begins
    ]


def model_calls() -> list[ModelCalls]:
    """By the provider's model: the newest attempts of the last hour."""
    found: dict[str, dict[str, int]] = defaultdict(dict)
    for provider_model, outcome, count in _rows(CALLS, newest=NEWEST):
        found[provider_model][outcome] = count
    return [ModelCalls(*each) for each in sorted(found.items())]


def gates() -> list[ProviderGate]:
    """Every model's gate that was ever used."""
    return list(ProviderGate.objects.select_related("model").order_by("model__position"))


def orphans(now: datetime) -> int:
    """How many orphans were found in the last week."""
    return Orphan.objects.filter(found_at__gte=now - timedelta(days=ORPHAN_DAYS)).count()


def _told(model: CatalogModel) -> str:
    told = (model.estimated_time, model.estimated_time_with_images)
    return ", ".join(dict.fromkeys(filter(None, told)))


def _most_seconds(model: CatalogModel) -> float:
    """The longest time that customers are told, in real seconds (TIME_SCALE speeds up a demo)."""
    numbers = [int(number) for number in re.findall(r"\d+", _told(model))]
    return max(numbers, default=model.expected_seconds) * settings.TIME_SCALE


def _rows(statement: str, **values: Any) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        rows: list[Any] = cursor.fetchall()
        return rows
