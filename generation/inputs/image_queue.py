"""Which source images are prepared next: of at most two orders of an account at a time.

A customer's host may be as slow as it likes. So an account gets ``SLOTS`` slots at most over all
workers, and accounts with fewer orders under way come first. An account that keeps ordering
unusable images gets one slot, with pauses.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping

from django.conf import settings
from django.db import connection, transaction

from generation.models import Generation
from work import due

SLOTS = 2  # orders of an account under way at once
# An honest batch of 50 in a wrong format is paused 20 times, 100 s in all.
MANY_BAD = 30  # unusable ones in BAD_SECONDS, from which on an account is slowed down
BAD_SECONDS = 600.0
PAUSE = 5.0  # seconds after an unusable one

# Two claims at once would both see a free slot. A claim that finds the lock taken gets no rows.
LOCK = "SELECT pg_try_advisory_xact_lock(hashtext('generation.image_queue'))"

# The questions repeat the condition of generation_awaits_images, which holds these rows alone.
# As in generation/provider/gate.py, rows are locked in a second step, and at most one is a suspect.
CLAIM = due.Claim(
    Generation,
    """
WITH under_way AS (
    SELECT account_id, count(*) AS rows FROM generation_generation
     WHERE images_until IS NOT NULL AND state = 'queued'
       AND lease_token IS NOT NULL AND next_attempt_at > now()
     GROUP BY account_id
), waiting AS (
    SELECT id, account_id, created_at,
           row_number() OVER (PARTITION BY account_id ORDER BY created_at, id) AS place
      FROM generation_generation
     WHERE images_until IS NOT NULL AND state = 'queued' AND next_attempt_at <= now()
       AND (strikes < %(suspect)s::int OR id = (
            SELECT id FROM generation_generation
             WHERE images_until IS NOT NULL AND state = 'queued' AND next_attempt_at <= now()
               AND strikes >= %(suspect)s::int
             ORDER BY next_attempt_at LIMIT 1))
), here AS (
    SELECT * FROM unnest(%(accounts)s::uuid[], %(counts)s::bigint[]) AS busy (account_id, rows)
), account AS (
    SELECT account_id, GREATEST(under_way.rows, here.rows, 0) AS rows, bad.many,
           bad.many AND bad.last > now() - %(pause)s::float8 * interval '1 second' AS pauses
      FROM (SELECT DISTINCT account_id FROM waiting) AS each
      LEFT JOIN under_way USING (account_id)
      LEFT JOIN here USING (account_id)
     CROSS JOIN LATERAL (
           SELECT count(*) >= %(bad)s::int AS many, max(finished_at) AS last FROM (
                  SELECT finished_at FROM generation_generation AS failed
                   WHERE failed.account_id = each.account_id
                     AND error_code = 'invalid_source_image'
                     AND finished_at > now() - %(bad_seconds)s::float8 * interval '1 second'
                   ORDER BY finished_at DESC LIMIT %(bad)s::int) AS newest) AS bad
), chosen AS (
    SELECT id FROM waiting JOIN account USING (account_id)
     WHERE NOT pauses AND place + rows <= CASE WHEN many THEN 1 ELSE %(slots)s::int END
     ORDER BY place + rows, created_at LIMIT %(limit)s::int
), due AS (
    SELECT id FROM generation_generation
     WHERE id = ANY(ARRAY(SELECT id FROM chosen)) AND state = 'queued'
       AND COALESCE(next_attempt_at, 'infinity') <= now()
       FOR UPDATE SKIP LOCKED
)""",
)


def claim(limit: int, here: Mapping[uuid.UUID, int] | None = None) -> list[Generation]:
    """Lease up to ``limit`` orders whose images may be prepared now.

    ``here`` counts this process's orders by account, canceled ones included: they keep their slot
    to the end.
    """
    if limit <= 0:
        return []
    values = {
        "limit": limit,
        "accounts": list(here or ()),
        "counts": list((here or {}).values()),
        "slots": SLOTS,
        "bad": MANY_BAD,
        "bad_seconds": BAD_SECONDS * settings.TIME_SCALE,
        "pause": PAUSE * settings.TIME_SCALE,
    }
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(LOCK)
            (free,) = cursor.fetchone()
        return CLAIM.rows(settings.PREPARE_LEASE, **values) if free else []
