"""Whether generations, money and events agree, asked of the rows in one snapshot; all, nightly.

The nightly run shares its process with files that customers wait for: 2 s for a million entries of
the ledger, in which other store workers go on. What is found is a row of BooksCheck, and an alert.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from django.conf import settings
from django.db import connection, transaction

from accounts.models import MAX_RETENTION_DAYS
from credits import nightly
from credits.books import Difference, Result, begin_snapshot, check_ledger
from generation.models import OPEN, UNDELIVERED

COUNTS = """
SELECT (SELECT count(*) FROM generation_generation),
       (SELECT count(*) FROM credits_ledgerentry WHERE kind IN ('charge', 'refund'))
"""
# Each row is an account and a sentence about it.
QUESTIONS = (
    """
SELECT account_id, format('%%s charges are open, %%s generations are', open_charges, open)
  FROM (SELECT wallet.account_id, open_charges, count(generation.id) AS open
          FROM credits_wallet wallet
          LEFT JOIN generation_generation generation
                 ON generation.account_id = wallet.account_id AND state = ANY(%(open)s)
         GROUP BY wallet.account_id, open_charges) counted
 WHERE open_charges <> open
""",
    """
SELECT wallet_id, format('charge %%s belongs to %%s generations', entry.id, count(generation.id))
  FROM credits_ledgerentry entry
  LEFT JOIN generation_generation generation
         ON charge_id = entry.id AND generation.id = entry.generation_id
        AND generation.account_id = wallet_id
 WHERE entry.kind = 'charge' GROUP BY entry.id HAVING count(generation.id) <> 1
""",
    """
SELECT account_id, format('generation %%s is %%s, and not refunded whole', generation.id, state)
  FROM generation_generation generation
  LEFT JOIN credits_ledgerentry entry
         ON entry.id = refund_id AND entry.reverses = charge_id AND entry.amount = price
 WHERE state = ANY(%(undelivered)s) AND entry.id IS NULL
""",
    """
SELECT wallet_id, format('refund %%s belongs to no generation that was not delivered', entry.id)
  FROM credits_ledgerentry entry
  LEFT JOIN generation_generation generation
         ON refund_id = entry.id AND state = ANY(%(undelivered)s)
 WHERE entry.kind = 'refund' AND generation.id IS NULL
""",
    """
SELECT account_id, format('generation %%s was not paid for by grant %%s', generation.id, grant_id)
  FROM generation_generation generation
  LEFT JOIN credits_ledgerentry entry
         ON entry.id = grant_id AND entry.kind = 'grant' AND entry.amount = price
        AND entry.wallet_id = account_id AND entry.reference = idempotency_key
 WHERE grant_id IS NOT NULL AND entry.id IS NULL
""",
    """
SELECT account_id,
       format('generation %%s is %%s, and its grant did not go back', generation.id, state)
  FROM generation_generation generation
  LEFT JOIN credits_ledgerentry entry
         ON entry.id = adjustment_id AND entry.kind = 'adjustment' AND entry.amount = -price
        AND entry.wallet_id = account_id AND entry.generation_id = generation.id
        AND entry.reference = 'taken-back-' || grant_id
 WHERE grant_id IS NOT NULL AND state = ANY(%(undelivered)s) AND entry.id IS NULL
""",
    """
SELECT wallet_id,
       format('adjustment %%s is of no grant whose generation was not delivered', entry.id)
  FROM credits_ledgerentry entry
  LEFT JOIN generation_generation generation
         ON adjustment_id = entry.id AND grant_id IS NOT NULL AND state = ANY(%(undelivered)s)
 WHERE entry.kind = 'adjustment' AND entry.reference LIKE 'taken-back-%%' AND generation.id IS NULL
""",
    # Of those that ended since there are events, and whose event retention has left. While a
    # migration is a day old, processes of the release before may still end some without one.
    """
SELECT generation.account_id,
       format('generation %%s is %%s, and no event tells of it', generation.id, state)
  FROM generation_generation generation
  LEFT JOIN events_event event
         ON event.generation_id = generation.id AND event.account_id = generation.account_id
        AND event.type = 'generation.' || state
 WHERE finished_at > now() - make_interval(days => %(days)s) AND event.id IS NULL
   AND finished_at > (SELECT max(applied) + interval '1 day' FROM django_migrations
                       WHERE app = 'events' AND name = '0001_initial')
""",
    """
SELECT event.account_id, format('event %%s tells of no generation that ended so', event.id)
  FROM events_event event
  LEFT JOIN generation_generation generation
         ON generation.id = generation_id AND generation.account_id = event.account_id
        AND event.type = 'generation.' || state
 WHERE event.generation_id IS NOT NULL AND generation.id IS NULL
""",
)


def check_generations() -> Result:
    """Compare open charges with open generations, and outcomes with charges, refunds and events.

    Must not be called inside a transaction, since it takes a snapshot of its own.
    """
    days = settings.EVENT_RETENTION_DAYS or MAX_RETENTION_DAYS
    values: dict[str, Any] = {"open": OPEN, "undelivered": UNDELIVERED}
    values["days"] = min(days, MAX_RETENTION_DAYS)
    with transaction.atomic(durable=True), connection.cursor() as cursor:
        begin_snapshot(cursor)
        cursor.execute(COUNTS)
        generations, entries = cursor.fetchone()
        result = Result({"generations": generations, "charges and refunds": entries})
        for question in QUESTIONS:
            cursor.execute(question, values)
            result.differences += [Difference(*row) for row in cursor.fetchall()]
    return result


# Seconds that a run may take, and seconds to end it then; both are within the lease
LONGEST, GRACE = 3000, 60
Turn = Callable[[], bool]
# By the name of the command that does the same by hand
CHECKS: dict[str, Callable[[Turn], Result]] = {
    "check_ledger": lambda turn: check_ledger(lambda *_: _go_on(turn)),
    "check_generations": lambda turn: check_generations(),
}


def check_books(turn: Turn) -> int:
    """Run the checks that are due; return how many they were.

    ``turn`` is asked now and then whether to end, as the engine asks.
    """
    ran = 0
    for command, ask in CHECKS.items():
        if turn():
            break
        ran += nightly.check(command, partial(ask, turn))
    return ran


def _go_on(turn: Turn) -> None:
    if turn():
        raise nightly.Stopped
