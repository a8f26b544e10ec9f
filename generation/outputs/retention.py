"""Outputs and prompts end some days after their generation: what is due, and what is deleted.

Row first: the statement that takes the key from a generation writes it into an :class:`Erasure`
(decision 34). So no link leads to a file that is gone, and no file is forgotten. Deleting is
idempotent; a lease only spares work.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import connection
from django.db.models import QuerySet
from django.db.models.functions import Now

from accounts import choices
from accounts.models import MAX_RETENTION_DAYS, Account
from common.telemetry.redaction import cut_text
from generation.models import Attempt, Erasure, Generation
from generation.models.states import State

BATCH = 200  # rows of a statement: locks of some milliseconds, on rows that nothing else changes
ERASED_TOGETHER = 50  # files deleted at once
# A file that could not be deleted is tried again after a quarter of the time since it was due.
LEAST_WAIT, LONGEST_WAIT = 60.0, 6 * 3600.0

# One account after another, each with its own number of days. The index begins with the account, so
# that the millions of rows of an account that keeps everything are never read.
DUE = """
WITH due AS (
    SELECT row.id FROM (
        SELECT id, LEAST(COALESCE({what}_retention_days, %(days)s), %(most)s) AS days
          FROM accounts_account WHERE COALESCE({what}_retention_days, %(days)s) > 0
    ) AS account CROSS JOIN LATERAL (
        SELECT id FROM generation_generation
         WHERE account_id = account.id AND {column} <> ''
           AND finished_at <= now() - account.days * interval '1 day'
         ORDER BY finished_at LIMIT %(limit)s
    ) AS row LIMIT %(limit)s
), held AS (
    SELECT id, output_key FROM generation_generation
     WHERE id IN (SELECT id FROM due) AND {column} <> '' FOR UPDATE SKIP LOCKED
){then}
"""
EXPIRE = DUE.format(
    what="output",
    column="output_key",
    then=""", remembered AS (
    INSERT INTO generation_erasure (generation_id, key) SELECT id, output_key FROM held
)
UPDATE generation_generation AS row
   SET output_key = '', output_deleted_at = now(), version = version + 1, updated_at = now()
  FROM held WHERE row.id = held.id""",
)
FORGET = DUE.format(
    what="prompt",
    column="prompt",
    # their uploads are looked at next; who is just being ordered with keeps its prompt anyway
    then=""", uploads AS (
    UPDATE generation_upload SET next_look_at = now() WHERE id IN (
        SELECT upload.id FROM held
          JOIN generation_uploaduse AS used ON used.generation_id = held.id
          JOIN generation_upload AS upload ON upload.id = used.upload_id
         WHERE upload.key <> '' FOR UPDATE OF upload SKIP LOCKED)
)
UPDATE generation_generation AS row
   SET prompt = '', parameters = generation_without_urls(parameters), webhook_url = NULL,
       version = version + 1, updated_at = now()
  FROM held WHERE row.id = held.id""",
)
CLAIM = """
WITH due AS (
    SELECT generation_id FROM generation_erasure WHERE next_try_at <= now()
     ORDER BY next_try_at LIMIT %(limit)s FOR UPDATE SKIP LOCKED
)
UPDATE generation_erasure AS erasure SET next_try_at = now() + %(lease)s * interval '1 second'
  FROM due
 WHERE erasure.generation_id = due.generation_id
RETURNING erasure.generation_id, erasure.key
"""
LATER = """
UPDATE generation_erasure
   SET last_error = %(error)s, next_try_at = now() + GREATEST(%(least)s * interval '1 second',
       LEAST(%(most)s * interval '1 second', (now() - made_at) / 4))
 WHERE generation_id = %(generation)s
"""


@dataclass(frozen=True, slots=True)
class Files:
    """The files to delete of a generation: a key in our storage, places in the provider's."""

    generation_id: uuid.UUID
    key: str
    places: tuple[tuple[str, str], ...]  # each after the name of its backend


def expire_outputs() -> int:
    """Take the files of up to BATCH generations out of sight; return how many they were."""
    return _erase(EXPIRE, settings.OUTPUT_RETENTION_DAYS)


def erase_prompts() -> int:
    """Erase prompts, image URLs and ``webhook_url`` of up to BATCH generations; return how many."""
    return _erase(FORGET, settings.PROMPT_RETENTION_DAYS)


def _erase(statement: str, days: int) -> int:
    values = {"days": days, "most": MAX_RETENTION_DAYS, "limit": BATCH}
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return int(cursor.rowcount)


def claim_erasures(limit: int = ERASED_TOGETHER) -> list[Files]:
    """Lease up to ``limit`` erasures that are due."""
    with connection.cursor() as cursor:
        cursor.execute(CLAIM, {"limit": limit, "lease": settings.LEASE})
        rows: Sequence[tuple[uuid.UUID, str]] = cursor.fetchall()
    places: dict[uuid.UUID, list[tuple[str, str]]] = {
        generation_id: [] for generation_id, _ in rows
    }
    asked = Attempt.objects.filter(generation_id__in=list(places)).exclude(
        outcome__in=[Attempt.Outcome.NOT_ACCEPTED, Attempt.Outcome.REJECTED]
    )
    for pk, backend, place in asked.values_list("generation_id", "backend", "prefix"):
        places[pk].append((backend, place))
    return [Files(*row, tuple(places[row[0]])) for row in rows]


def erased(files: Files) -> None:
    """Write that all of it is deleted."""
    Erasure.objects.filter(pk=files.generation_id).delete()


def not_erased(files: Files, error: str) -> None:
    """Something is left: write when to try again."""
    scale = settings.TIME_SCALE
    values: dict[str, Any] = {"generation": files.generation_id, "error": cut_text(error)}
    values |= {"least": LEAST_WAIT * scale, "most": LONGEST_WAIT * scale}
    with connection.cursor() as cursor:
        cursor.execute(LATER, values)


def output_expires_at(generation: Generation) -> datetime | None:
    """When its file is deleted at the earliest; None if there is none, or it is kept."""
    if generation.state != State.COMPLETED or not generation.output_key:
        return None
    days = output_days(generation.account)
    if not days or generation.finished_at is None:
        return None
    return generation.finished_at + timedelta(days=days)


def output_days(account: Account) -> int:
    """How many days an account's outputs are kept; 0 = for ever."""
    return choices.outputs(account).days


def with_older_output(account: Account, days: int) -> QuerySet[Generation]:
    """The generations whose file would be deleted soon if outputs were kept for so many days."""
    return _older(account, days).exclude(output_key="")


def with_older_prompt(account: Account, days: int) -> QuerySet[Generation]:
    """The generations whose prompt would be erased soon if they were kept for so many days."""
    return _older(account, days).exclude(prompt="")


def _older(account: Account, days: int) -> QuerySet[Generation]:
    ended = Now() - timedelta(days=days)
    return account.generations.filter(finished_at__isnull=False, finished_at__lte=ended)
