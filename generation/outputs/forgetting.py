"""The prompt and inputs that a provider keeps of an attempt until it is told to forget them.

It is told when the attempt is settled (decision 81), and until it confirms. Only attempts
that a backend remembers have a ``forget_at``. As in ``orphans.py``, a claim moves that to the end
of a lease, and the moment is the token.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import connection

from generation.models.states import State

BATCH = 100  # attempts claimed together, and told of at once
# A provider that did not confirm is told again after a quarter of the time since the end.
LEAST_WAIT, LONGEST_WAIT = 60.0, 6 * 3600.0

CLAIM = """
WITH due AS (
    SELECT id FROM generation_attempt WHERE forget_at <= now()
     ORDER BY forget_at LIMIT %(limit)s FOR UPDATE SKIP LOCKED
), judged AS (
    SELECT attempt.id,
           CASE WHEN attempt.next_look_at IS NOT NULL AND NOT (generation.state = %(completed)s
                     AND generation.output_attempt = attempt.number) THEN 'open'
                ELSE 'settled' END AS verdict
      FROM due JOIN generation_attempt AS attempt USING (id)
      JOIN generation_generation AS generation ON generation.id = attempt.generation_id
)
UPDATE generation_attempt AS attempt
   SET forget_at = CASE verdict
           WHEN 'open' THEN GREATEST(attempt.next_look_at, now()) + %(lease)s * interval '1 second'
           ELSE now() + %(lease)s * interval '1 second' END
  FROM judged WHERE attempt.id = judged.id
RETURNING verdict, attempt.id, attempt.backend, attempt.operation_name, attempt.prefix,
          attempt.forget_at
"""
# An attempt without a name never got an answer: its inputs are deleted, and nobody knows what the
# provider keeps.
FORGOTTEN = """
UPDATE generation_attempt
   SET forgotten_at = CASE WHEN operation_name <> '' THEN now() END, forget_at = NULL
 WHERE id = %(attempt)s AND forget_at = %(until)s
"""
NOT_FORGOTTEN = """
UPDATE generation_attempt AS attempt
   SET forget_at = now() + GREATEST(%(least)s * interval '1 second', LEAST(
           %(most)s * interval '1 second', (now() - generation.finished_at) / 4))
  FROM generation_generation AS generation
 WHERE generation.id = attempt.generation_id
   AND attempt.id = %(attempt)s AND attempt.forget_at = %(until)s
"""


@dataclass(frozen=True, slots=True)
class Memory:
    """What a provider remembers of an attempt that is settled, leased ``until`` then."""

    attempt_id: int
    backend: str
    operation_name: str
    place: str
    until: datetime


def claim_memories(limit: int = BATCH) -> tuple[int, list[Memory]]:
    """Claim up to ``limit`` due attempts; return their number, and those to be forgotten."""
    values: dict[str, Any] = {
        "limit": limit,
        "lease": settings.LEASE,
        "completed": str(State.COMPLETED),
    }
    with connection.cursor() as cursor:
        cursor.execute(CLAIM, values)
        rows = cursor.fetchall()
    return len(rows), [Memory(*columns) for verdict, *columns in rows if verdict == "settled"]


def forgotten(memory: Memory) -> None:
    _write(memory, FORGOTTEN)


def not_forgotten(memory: Memory) -> None:
    """Tell the provider again later: it has not forgotten the attempt."""
    scale = settings.TIME_SCALE
    _write(memory, NOT_FORGOTTEN, least=LEAST_WAIT * scale, most=LONGEST_WAIT * scale)


def _write(memory: Memory, statement: str, **values: float) -> None:
    held: dict[str, Any] = {"attempt": memory.attempt_id, "until": memory.until}
    with connection.cursor() as cursor:
        cursor.execute(statement, held | values)
