"""Login tokens that ended a while ago are deleted, unless they ordered something.

A generation says what it was ordered with, and its foreign key holds that row.
"""

from __future__ import annotations

from django.db import connection, transaction

KEPT_DAYS = 30  # after their end, for operators to look at
TOGETHER = 500

# If one key has ordered nearly everything, the planner expects to find a row of any key soon, and
# reads the whole table for a token that ordered nothing. The same goes for the foreign key's check
# at the commit.
BY_INDEX = "SET LOCAL enable_seqscan = off"
# A token that stays loses its end, so that it is not looked at again.
DELETE = """
WITH ended AS (
    SELECT id FROM accounts_apikey
     WHERE kind = 'token' AND expires_at < now() - %(days)s * interval '1 day'
     ORDER BY expires_at LIMIT %(limit)s FOR UPDATE SKIP LOCKED
), seen AS MATERIALIZED (
    SELECT id, EXISTS (
        SELECT FROM generation_generation WHERE api_key_id = ended.id
    ) AS has_ordered FROM ended
), kept AS (
    UPDATE accounts_apikey token
       SET revoked_at = COALESCE(revoked_at, expires_at), expires_at = NULL
      FROM seen WHERE token.id = seen.id AND has_ordered
)
DELETE FROM accounts_apikey token USING seen WHERE token.id = seen.id AND NOT has_ordered
"""


def delete_ended_tokens() -> int:
    """Delete those of a batch that ordered nothing, KEPT_DAYS after their end; return how many.

    A revoked token is used no more, so its ``expires_at`` passes, too.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(BY_INDEX)
        cursor.execute(DELETE, {"days": KEPT_DAYS, "limit": TOGETHER})
        return int(cursor.rowcount)
