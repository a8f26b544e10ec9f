"""Claiming due rows: who works on what is decided by one statement, never by Python.

The table needs ``state``, ``next_attempt_at``, ``lease_token`` and ``strikes``. A claim moves
``next_attempt_at`` to the end of a lease, so a worker that dies needs no cleaning up after;
``lease_token`` fences off one that comes back too late. All times are the database's.
"""

from __future__ import annotations

import functools
import uuid
from collections.abc import Sequence
from typing import Any, Generic, TypeVar

from django.db import models

from common.statement import Columns, Statement

M = TypeVar("M", bound=models.Model)

# A row that was claimed so often in a row without a write-back may be what kills its workers. One
# such row is claimed at a time, so that no innocent row is lost with it.
SUSPECT = 3

# The end of every claim. What comes before it chooses the rows, locks them and calls them ``due``.
LEASE = """
UPDATE {table} AS row
   SET lease_token = %(token)s::uuid,
       next_attempt_at = now() + %(lease)s::float8 * interval '1 second',
       strikes = LEAST(row.strikes + 1, 1000)
  FROM due WHERE row.id = due.id
RETURNING {columns}, now()
"""

# The choice for rows that come when they are due. Two that also weigh accounts against each other:
# generation/provider/gate.py and generation/inputs/image_queue.py.
IN_ORDER = """
WITH suspect AS (
    SELECT id FROM {table}
     WHERE state = ANY(%(states)s::varchar[]) AND next_attempt_at <= now()
       AND strikes >= %(suspect)s::int AND {condition}
     ORDER BY next_attempt_at LIMIT 1 FOR UPDATE SKIP LOCKED
), other AS (
    SELECT id FROM {table}
     WHERE state = ANY(%(states)s::varchar[]) AND next_attempt_at <= now()
       AND strikes < %(suspect)s::int AND {condition}
     ORDER BY next_attempt_at LIMIT %(limit)s::int FOR UPDATE SKIP LOCKED
), due AS (
    SELECT id FROM suspect UNION ALL SELECT id FROM other LIMIT %(limit)s::int
)"""


class Claim(Generic[M]):
    """One statement that chooses rows and leases them."""

    def __init__(self, model: type[M], choice: str, **parts: str) -> None:
        """``choice`` is SQL that ends with a common table expression ``due``: the ids, locked."""
        self._columns = Columns(model, "row")
        columns, table = self._columns.sql, model._meta.db_table
        self._statement = Statement(choice + LEASE, columns=columns, table=table, **parts)

    def rows(self, lease: float, **values: Any) -> list[M]:
        """What is leased for ``lease`` seconds; each row carries ``claimed_at``, the database's."""
        given = {"token": uuid.uuid4(), "lease": lease, "suspect": SUSPECT, **values}
        return [
            self._columns.read(row[:-1], claimed_at=row[-1]) for row in self._statement.all(given)
        ]


def claim(
    model: type[M],
    states: Sequence[str],
    limit: int,
    lease_seconds: float,
    condition: str = "TRUE",
) -> list[M]:
    """Up to ``limit`` due rows, leased; each carries ``claimed_at``, the database's time.

    ``condition`` is SQL of the caller's own, never anybody's input.

    Two claims never get the same row (SKIP LOCKED), nor do they wait for each other.
    """
    if limit <= 0:
        return []
    words = [str(state) for state in states]
    return _in_order(model, condition).rows(lease_seconds, states=words, limit=limit)


@functools.cache
def _in_order(model: type[M], condition: str) -> Claim[M]:
    return Claim(model, IN_ORDER, condition=condition)
