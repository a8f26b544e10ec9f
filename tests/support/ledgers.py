"""Long ledgers, made at once: entries as the verbs write them, by the superuser."""

from __future__ import annotations

import psycopg

from tests.support.people import Person

# Of each nine entries the first is a grant of 480, five are charges, and three of those are
# refunded. Times go up to now, evenly over the days.
FILL = """
WITH made AS (
    SELECT number, uuidv7() AS generation, (ARRAY[
               'grant', 'charge', 'refund', 'charge', 'refund', 'charge', 'refund', 'charge',
               'charge'])[number %% 9 + 1] AS kind
      FROM generate_series(0, %(count)s - 1) AS number
), entry AS (
    SELECT *, CASE kind WHEN 'grant' THEN 480 WHEN 'refund' THEN 240 ELSE -240 END AS amount
      FROM made
)
INSERT INTO credits_ledgerentry (id, wallet_id, sequence, kind, amount, balance_after,
                                 generation_id, reverses, description, created_at)
SELECT uuidv7(), account_id, wallet.sequence + number + 1, kind, amount,
       balance + sum(amount) OVER (ORDER BY number),
       CASE WHEN kind <> 'grant' THEN generation END,
       CASE WHEN kind = 'refund' THEN uuidv7() END, 'veo3_fast generation',
       now() - %(days)s * interval '1 day' * (%(count)s - 1 - number) / %(count)s
  FROM entry, credits_wallet wallet WHERE account_id = %(account)s
"""
UPDATE = """
UPDATE credits_wallet SET sequence = newest.sequence, balance = newest.balance_after
  FROM (SELECT wallet_id, sequence, balance_after FROM credits_ledgerentry
         WHERE wallet_id = %(account)s ORDER BY sequence DESC LIMIT 1) newest
 WHERE account_id = newest.wallet_id
"""


def fill(admin: psycopg.Connection, person: Person, count: int, days: float) -> None:
    """Add ``count`` entries of the last ``days`` days; refunds name no charge that exists."""
    values = {"account": person.account.pk, "count": count, "days": days}
    admin.execute("SET session_replication_role = replica")  # no foreign key is looked up
    admin.execute(FILL, values)
    admin.execute("SET session_replication_role = DEFAULT")
    admin.execute(UPDATE, values)
