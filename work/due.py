"""Claiming due rows: who works on what is decided by one statement, never by Python.

The table needs ``state``, ``next_attempt_at``, ``lease_token`` and ``strikes``. A claim gives the
rows a lease: ``next_attempt_at`` moves to its end, so that a worker that dies needs no cleaning up
after, and ``lease_token`` fences off one that comes back too late. All times are the database's.
"""

from __future__ import annotations

import functools
import uuid
from collections.abc import Sequence
from typing import TypeVar

from django.db import models

from common.statement import Columns, Row, Statement

M = TypeVar("M", bound=models.Model)

# Claims in a row without a write-back from which on a row may be what kills its workers. Those are
# claimed one at a time: a batch is lost with its worker, and the innocent rows of one that is
# claimed together again and again would be found guilty with it.
SUSPECT = 3

CLAIM = """
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
)
UPDATE {table} AS row
   SET lease_token = %(token)s::uuid,
       next_attempt_at = now() + %(lease)s::float8 * interval '1 second',
       strikes = LEAST(row.strikes + 1, 1000)
  FROM (SELECT id FROM suspect UNION ALL SELECT id FROM other LIMIT %(limit)s::int) AS due
 WHERE row.id = due.id
RETURNING {columns}, now()
"""


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
    columns, statement = _statement(model, condition)
    values = {
        "token": uuid.uuid4(),
        "lease": lease_seconds,
        "states": [str(state) for state in states],
        "limit": limit,
        "suspect": SUSPECT,
    }
    return [leased(columns, row) for row in statement.all(values)]


def leased(columns: Columns[M], values: Row) -> M:
    """A row out of the ``columns`` and the time that a claim returned."""
    row = columns.read(values[:-1])
    row.claimed_at = values[-1]  # type: ignore[attr-defined]  # a column of the claim
    return row


@functools.cache
def _statement(model: type[M], condition: str) -> tuple[Columns[M], Statement]:
    columns = Columns(model, "row")
    table = model._meta.db_table
    return columns, Statement(CLAIM.format(table=table, condition=condition, columns=columns.sql))
