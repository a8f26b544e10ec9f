"""Outputs that were paid for and that nobody gets: found, kept for operators, never charged.

The database gives each attempt a ``next_look_at``, and only this module clears it (decision 33).
Nothing here writes a generation, a wallet or the ledger. A claim moves ``next_look_at`` to the end
of a lease; that moment is its token, and fences late write-backs.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import connection
from django.db.models import QuerySet

from generation.models import Attempt, Orphan
from generation.models.states import State

BATCH = 100  # attempts claimed together, and looked for at once
NOTE_LENGTH = 200  # characters, as the column has it
URI_LENGTH = 500

MINUTE, HOUR, DAY = 60.0, 3600.0, 86400.0
# When an attempt is looked at, counted from the end of its generation; the first claim after the
# end looks, too. A video takes minutes; an operation that is alive a day later is not known.
LOOKS = (15 * MINUTE, 1 * HOUR, 6 * HOUR, 24 * HOUR)
# A bucket that does not answer is asked again after a quarter of the time since the end.
LEAST_WAIT, LONGEST_WAIT = 1 * MINUTE, 6 * HOUR
GIVE_UP = 30 * DAY  # as long as operations are kept at most (AIP-151)

# READ COMMITTED: a generation that ends at this moment may still look open; its attempts are then
# looked at after its deadline. One that looks over stays over.
CLAIM = """
WITH due AS (
    SELECT id, number, generation_id, backend, prefix, outcome FROM generation_attempt
     WHERE next_look_at <= now()
     ORDER BY next_look_at LIMIT %(limit)s FOR UPDATE SKIP LOCKED
), judged AS (
    SELECT due.id, due.number, due.backend, due.prefix, generation.kind,
           generation.state, generation.error_code, generation.output_uri, generation.deadline_at,
           CASE WHEN due.outcome = ANY(%(not_bought)s) THEN 'settled'
                WHEN generation.finished_at IS NULL THEN 'open'
                WHEN generation.state = %(completed)s
                     AND CASE WHEN generation.output_attempt IS NULL  -- an older release's row
                              THEN starts_with(generation.output_uri, due.prefix)
                              ELSE generation.output_attempt = due.number END THEN 'settled'
                ELSE 'look' END AS verdict
      FROM due JOIN generation_generation AS generation ON generation.id = due.generation_id
)
UPDATE generation_attempt AS attempt
   SET next_look_at = CASE verdict
           WHEN 'open' THEN GREATEST(deadline_at, now()) + %(lease)s * interval '1 second'
           WHEN 'look' THEN now() + %(lease)s * interval '1 second' END
  FROM judged WHERE attempt.id = judged.id
RETURNING verdict, attempt.id, attempt.generation_id, judged.number, judged.backend,
          judged.prefix, judged.kind, judged.state, judged.error_code, judged.output_uri,
          attempt.next_look_at
"""
FOUND = """
WITH held AS (
    UPDATE generation_attempt SET next_look_at = NULL
     WHERE id = %(attempt)s AND next_look_at = %(until)s RETURNING id
)
INSERT INTO generation_orphan (attempt_id, uri, note)
SELECT id, %(uri)s, %(note)s FROM held ON CONFLICT (attempt_id) DO NOTHING
"""
NOT_FOUND = """
UPDATE generation_attempt AS attempt
   SET next_look_at = (
           SELECT min(generation.finished_at + look * interval '1 second')
             FROM unnest(%(looks)s::float8[]) AS look
            WHERE generation.finished_at + look * interval '1 second' > now())
  FROM generation_generation AS generation
 WHERE generation.id = attempt.generation_id
   AND attempt.id = %(attempt)s AND attempt.next_look_at = %(until)s
RETURNING attempt.next_look_at
"""
NOT_ANSWERED = """
UPDATE generation_attempt AS attempt
   SET next_look_at = CASE
           WHEN now() - generation.finished_at < %(give_up)s * interval '1 second'
           THEN now() + GREATEST(%(least)s * interval '1 second', LEAST(
               %(most)s * interval '1 second', (now() - generation.finished_at) / 4)) END
  FROM generation_generation AS generation
 WHERE generation.id = attempt.generation_id
   AND attempt.id = %(attempt)s AND attempt.next_look_at = %(until)s
RETURNING attempt.next_look_at
"""


@dataclass(frozen=True, slots=True)
class Look:
    """An attempt that may have left an output that nobody gets, leased ``until`` then."""

    attempt_id: int
    generation_id: uuid.UUID
    number: int
    backend: str
    place: str
    kind: str
    state: str
    error_code: str
    output_uri: str
    until: datetime

    def why(self, uri: str) -> str:
        """Why nobody gets the output at ``uri``, for operators."""
        if self.state == State.COMPLETED:
            return "another attempt was delivered"
        if self.state == State.CANCELED:
            return "canceled and refunded before it was found"
        if self.output_uri == uri:
            return f"found in time, but not delivered: refunded ({self.error_code})"
        return f"refunded before it was found ({self.error_code})"


def claim_looks(limit: int = BATCH) -> tuple[int, list[Look]]:
    """Claim up to ``limit`` due attempts; return their number, and those to be looked for.

    The same statement settles the others. Attempts of open generations come back after the
    deadline; attempts that were certainly not bought, or were delivered, never do.
    """
    values: dict[str, Any] = {
        "limit": limit,
        "lease": settings.LEASE,
        "not_bought": [str(Attempt.Outcome.NOT_ACCEPTED), str(Attempt.Outcome.REJECTED)],
        "completed": str(State.COMPLETED),
    }
    with connection.cursor() as cursor:
        cursor.execute(CLAIM, values)
        rows = cursor.fetchall()
    return len(rows), [Look(*columns) for verdict, *columns in rows if verdict == "look"]


def found(look: Look, uri: str) -> bool:
    """Keep the orphan, once, and look no more; False when the lease was lost."""
    values = {"uri": uri[:URI_LENGTH], "note": look.why(uri)[:NOTE_LENGTH]}
    with connection.cursor() as cursor:
        cursor.execute(FOUND, _held(look) | values)
        return bool(cursor.rowcount)


def not_found(look: Look) -> None:
    """Nothing is there yet: look again later, or never again if a day has passed."""
    _again(look, NOT_FOUND, looks=[seconds * settings.TIME_SCALE for seconds in LOOKS])


def not_answered(look: Look) -> bool:
    """The provider's storage did not say: ask again later; True when it is given up."""
    scale = settings.TIME_SCALE
    times = {"give_up": GIVE_UP * scale, "least": LEAST_WAIT * scale, "most": LONGEST_WAIT * scale}
    return _again(look, NOT_ANSWERED, **times) == (None,)


def listed(since: datetime | None = None) -> QuerySet[Orphan]:
    """The report: orphans found at or after ``since``, the oldest first, with their accounts."""
    rows = Orphan.objects.select_related("attempt__generation").order_by("found_at", "pk")
    return rows if since is None else rows.filter(found_at__gte=since)


def _held(look: Look) -> dict[str, Any]:
    return {"attempt": look.attempt_id, "until": look.until}


def _again(look: Look, statement: str, **values: Any) -> tuple[datetime | None] | None:
    """Write the next look (None: never again) and return it in a row; no row if fenced off."""
    with connection.cursor() as cursor:
        cursor.execute(statement, _held(look) | values)
        row: tuple[datetime | None] | None = cursor.fetchone()
    return row
