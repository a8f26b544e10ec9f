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

CLAIM = """
UPDATE {table} AS row
   SET lease_token = %s, next_attempt_at = now() + %s * interval '1 second',
       strikes = LEAST(row.strikes + 1, 1000)
  FROM (SELECT id FROM {table}
         WHERE state = ANY(%s) AND next_attempt_at <= now() AND {condition}
         ORDER BY next_attempt_at
         LIMIT %s
           FOR UPDATE SKIP LOCKED) AS due
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
    values = [uuid.uuid4(), lease_seconds, [str(state) for state in states], limit]
    return list(model._default_manager.raw(statement, values))
