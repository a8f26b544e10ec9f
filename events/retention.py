"""Events end some days after what they tell."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.conf import settings
from django.db import connection
from django.utils import timezone

from accounts.models import MAX_RETENTION_DAYS
from common import ids

BATCH, BATCHES = 1_000, 10  # a pass, so that a stage never waits for it
# An id is made before its number, by another clock. Deleted is only what is older by this much than
# what may still be asked for, so whoever may ask finds everything that came after.
MARGIN = timedelta(hours=1)

OLD = """
DELETE FROM events_event WHERE id IN (
    SELECT id FROM events_event WHERE id < %s ORDER BY id LIMIT %s FOR UPDATE SKIP LOCKED)
"""


def kept_since(now: datetime) -> datetime | None:
    """From when on events can be asked for; None = from the first one."""
    days = min(settings.EVENT_RETENTION_DAYS, MAX_RETENTION_DAYS)
    return now - timedelta(days=days) if days else None


def prune() -> int:
    """Delete what nobody may ask for any more, in one pass; how many events it was."""
    since = kept_since(timezone.now())
    if since is None:
        return 0
    rows = 0
    with connection.cursor() as cursor:
        for _ in range(BATCHES):
            cursor.execute(OLD, [ids.least_of(since - MARGIN), BATCH])
            rows += cursor.rowcount
            if cursor.rowcount < BATCH:
                break
    return rows
