"""Events are deleted some days after what they tell, and their deliveries with them."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta

from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone

from accounts.models import MAX_RETENTION_DAYS
from common import ids

BATCH, BATCHES = 1_000, 10  # a pass, so that a stage never waits for it
# An id is made before its number, by another clock. So events are kept this much longer than they
# may be asked for: behind each event that may be asked for, all later ones are still there.
MARGIN = timedelta(hours=1)

# A delivery that is still to be sent keeps its event; those that have ended go with theirs. One
# that is sent again at this very moment stays, and so does its event.
OLD = """
WITH old AS (
    SELECT id FROM events_event AS event
     WHERE id < %(before)s AND NOT EXISTS (
           SELECT FROM events_webhookdelivery
            WHERE event_id = event.id AND next_attempt_at IS NOT NULL)
     ORDER BY id LIMIT %(batch)s FOR UPDATE SKIP LOCKED
), delivery AS (
    DELETE FROM events_webhookdelivery AS row USING old
     WHERE row.event_id = old.id AND row.next_attempt_at IS NULL
    RETURNING row.id
), attempt AS (
    DELETE FROM events_webhookattempt AS row USING delivery WHERE row.delivery_id = delivery.id
)
SELECT id FROM old
"""
UNTOLD = """
DELETE FROM events_event AS event
 WHERE id = ANY(%(ids)s) AND NOT EXISTS (
       SELECT FROM events_webhookdelivery WHERE event_id = event.id)
"""


def kept_since(now: datetime) -> datetime | None:
    """The time from which on events can be asked for; None = all of them."""
    days = min(settings.EVENT_RETENTION_DAYS, MAX_RETENTION_DAYS)
    return now - timedelta(days=days) if days else None


def prune() -> int:
    """Delete events that nobody may ask for any more, in one pass; return how many."""
    since = kept_since(timezone.now())
    if since is None:
        return 0
    rows = 0
    for _ in range(BATCHES):
        found, deleted = _delete_batch(ids.least_of(since - MARGIN))
        rows += deleted
        if found < BATCH:
            break
    return rows


def _delete_batch(before: uuid.UUID) -> tuple[int, int]:
    """How many old events were found, and how many of them were deleted."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(OLD, {"before": before, "batch": BATCH})
        found = [id_ for (id_,) in cursor.fetchall()]
        cursor.execute(UNTOLD, {"ids": found})
        return len(found), cursor.rowcount
