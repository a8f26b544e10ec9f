"""Claiming due rows: who works on what is decided by one statement, never by Python.

The table needs ``state``, ``next_attempt_at``, ``lease_token`` and ``strikes``. A claim gives the
rows a lease: ``next_attempt_at`` moves to its end, so that a worker that dies needs no cleaning up
after, and ``lease_token`` fences off one that comes back too late. All times are the database's.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import TypeVar

from django.db import models

Row = TypeVar("Row", bound=models.Model)

# Claims in a row without a write-back from which on a row may be what kills its workers. Those are
# claimed one at a time: a batch is lost with its worker, and the innocent rows of one that is
# claimed together again and again would be found guilty with it.
SUSPECT = 3

CLAIM = """
WITH suspect AS (
    SELECT id FROM {table}
     WHERE state = ANY(%(states)s) AND next_attempt_at <= now() AND strikes >= %(suspect)s
       AND {condition}
     ORDER BY next_attempt_at LIMIT 1 FOR UPDATE SKIP LOCKED
), other AS (
    SELECT id FROM {table}
     WHERE state = ANY(%(states)s) AND next_attempt_at <= now() AND strikes < %(suspect)s
       AND {condition}
     ORDER BY next_attempt_at LIMIT %(limit)s FOR UPDATE SKIP LOCKED
)
UPDATE {table} AS row
   SET lease_token = %(token)s, next_attempt_at = now() + %(lease)s * interval '1 second',
       strikes = LEAST(row.strikes + 1, 1000)
  FROM (SELECT id FROM suspect UNION ALL SELECT id FROM other LIMIT %(limit)s) AS due
 WHERE row.id = due.id
RETURNING row.*, now() AS claimed_at
"""


def claim(
    model: type[Row],
    states: Sequence[str],
    limit: int,
    lease_seconds: float,
    condition: str = "TRUE",
) -> list[Row]:
    """Up to ``limit`` due rows, leased; each carries ``claimed_at``, the database's time.

    ``condition`` is SQL of the caller's own, never anybody's input.

    Two claims never get the same row (SKIP LOCKED), nor do they wait for each other.
    """
    if limit <= 0:
        return []
    statement = CLAIM.format(table=model._meta.db_table, condition=condition)
    values = {
        "token": uuid.uuid4(),
        "lease": lease_seconds,
        "states": [str(state) for state in states],
        "limit": limit,
        "suspect": SUSPECT,
    }
    return list(model._default_manager.raw(statement, values))
