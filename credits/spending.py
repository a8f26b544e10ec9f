"""What an account spent, day by day: its charges minus its refunds, from the ledger.

The statement takes the newest entries by their number, and then their days. The other order would
walk through the whole ledger of an account that has been idle for two weeks.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from django.db import connection

from common.fresh import Fresh

DAYS = 14
NEWEST = 20_000  # entries that are read at most
REMEMBERED_SECONDS = 300
REMEMBERED = 2_000  # accounts, in a process

# Numbers have no gaps, so they say which entries are the newest: a LIMIT alone lets a planner that
# takes the wallet for a small one read and sort all of it. What was before the days is a group,
# too: if there is any, nothing of the days is missing.
READ = """
WITH newest AS MATERIALIZED (
    SELECT sequence, kind, amount, created_at FROM credits_ledgerentry
     WHERE wallet_id = %(account)s::uuid AND sequence > GREATEST(%(after)s::bigint, (
           SELECT sequence FROM credits_wallet WHERE account_id = %(account)s::uuid) - %(newest)s)
     ORDER BY sequence DESC LIMIT %(newest)s
)
SELECT LEAST(GREATEST((created_at AT TIME ZONE 'UTC')::date, %(before)s::date), %(today)s::date),
       -COALESCE(sum(amount) FILTER (WHERE kind IN ('charge', 'refund')), 0)::bigint,
       count(*), min(sequence), max(sequence)
  FROM newest GROUP BY 1
"""


@dataclass(frozen=True, slots=True)
class Day:
    """Credits of one day, in UTC; below 0 when more was refunded than charged."""

    day: date
    spent: int
    is_whole: bool


@dataclass(frozen=True, slots=True)
class Spending:
    """The days, the oldest first; the last one is under way."""

    days: list[Day]

    @property
    def spent(self) -> int:
        """Of all days together; of what was read."""
        return sum(day.spent for day in self.days)

    @property
    def cut_until(self) -> date | None:
        """The last day that is not whole, because there are more entries than are read."""
        return max((day.day for day in self.days if not day.is_whole), default=None)


@dataclass(frozen=True, slots=True)
class _Read:
    sums: dict[date, int]
    count: int
    newest: int  # its sequence
    whole_from: date


def by_day(account_id: uuid.UUID, now: datetime) -> Spending:
    """The last 14 days in UTC, today among them: the same figures wherever they are shown.

    Entries never change, and their numbers are handed out under the wallet's lock, so no entry
    appears later below a number that was seen. What was read is kept for 5 minutes, and newer
    entries are added to it, exactly.
    """
    today = now.astimezone(UTC).date()
    known = _remembered(account_id, today)
    later = _read(account_id, today, known.newest)
    if later.count < NEWEST:
        sums = {day: known.sums.get(day, 0) + later.sums.get(day, 0) for day in _days(today)}
        whole_from = known.whole_from
    else:
        sums, whole_from = later.sums, later.whole_from
    return Spending([Day(day, sums.get(day, 0), day >= whole_from) for day in _days(today)])


def _days(today: date) -> list[date]:
    return [today - timedelta(days=back) for back in reversed(range(DAYS))]


def _read_all(account_id: uuid.UUID, today: date) -> _Read:
    return _read(account_id, today, 0)


def _read(account_id: uuid.UUID, today: date, after: int) -> _Read:
    """What the newest entries above the number ``after`` make of the days."""
    before = today - timedelta(days=DAYS)
    values: dict[str, Any] = {"account": account_id, "after": after, "newest": NEWEST}
    with connection.cursor() as cursor:
        cursor.execute(READ, values | {"before": before, "today": today})
        rows: list[tuple[date, int, int, int, int]] = cursor.fetchall()
    count = sum(row[2] for row in rows)
    oldest = min(rows, key=lambda row: row[3], default=None)
    is_cut = oldest is not None and count == NEWEST and oldest[3] > 1
    return _Read(
        sums={day: spent for day, spent, *_ in rows if day > before},
        count=count,
        newest=max((row[4] for row in rows), default=after),
        whole_from=oldest[0] + timedelta(days=1) if is_cut and oldest is not None else before,
    )


_remembered = Fresh(REMEMBERED_SECONDS, _read_all, most=REMEMBERED)
