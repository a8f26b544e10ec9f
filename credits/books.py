"""Whether the ledger adds up. The constraints say that it must; this asks the rows.

Everything is read in one snapshot, so that it may run beside a busy service. Some wallets are read
at a time, so that it can tell how far it is, and ten million entries need no memory of ours.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from django.db import connection, transaction

# Entries at a time, by what their wallets count. Those of a wallet lie all over the table, so each
# batch reads most of it: of few entries, it would be read often.
BATCH = 1_000_000
SORT_MEMORY = "64MB"  # of the database's, for a batch

# The last wallet of each batch, and how many entries there are up to it.
BATCHES = """
SELECT DISTINCT ON (entries / %(batch)s) account_id, entries
  FROM (SELECT account_id, sum(sequence + 1) OVER (ORDER BY account_id)::bigint AS entries
          FROM credits_wallet) AS counted
 ORDER BY entries / %(batch)s, account_id DESC
"""

# One row a wallet that does not add up, and one with the totals.
WALLETS = """
WITH entry AS (
    SELECT wallet_id, sequence, amount, balance_after,
           CASE kind WHEN 'reversal' THEN -amount END AS reversed,
           row_number() OVER (PARTITION BY wallet_id ORDER BY sequence) AS place,
           lag(balance_after, 1, 0::bigint) OVER (PARTITION BY wallet_id ORDER BY sequence)
               AS before
      FROM credits_ledgerentry WHERE wallet_id > %(after)s AND wallet_id <= %(upto)s
), added AS (
    SELECT wallet_id, count(*) AS entries, sum(amount) AS balance, max(sequence) AS last,
           min(place) FILTER (WHERE sequence <> place) AS gap,
           min(sequence) FILTER (WHERE balance_after <> before + amount) AS slip,
           sum(reversed) AS reversed
      FROM entry GROUP BY wallet_id
), wallet AS MATERIALIZED (
    SELECT account_id, COALESCE(entries, 0) AS entries, wallet.balance AS stored,
           COALESCE(added.balance, 0) AS added, wallet.sequence AS sequence,
           COALESCE(last, 0) AS last, gap, slip, wallet.reversed AS noted,
           COALESCE(added.reversed, 0) AS taken
      FROM credits_wallet wallet LEFT JOIN added ON wallet_id = account_id
     WHERE account_id > %(after)s AND account_id <= %(upto)s
)
SELECT * FROM wallet
 WHERE stored <> added OR sequence <> last OR gap IS NOT NULL OR slip IS NOT NULL
    OR noted <> taken
UNION ALL
SELECT NULL, COALESCE(sum(entries), 0), count(*), NULL, NULL, NULL, NULL, NULL, NULL, NULL
  FROM wallet
"""

REFUNDS = """
SELECT wallet_id, id, fits, times
  FROM (SELECT refund.wallet_id, refund.id, charge.id IS NOT NULL AS fits,
               count(*) OVER (PARTITION BY refund.reverses) AS times
          FROM credits_ledgerentry refund
          LEFT JOIN credits_ledgerentry charge
                 ON charge.id = refund.reverses AND charge.kind = 'charge'
                AND charge.wallet_id = refund.wallet_id AND charge.amount = -refund.amount
                AND charge.generation_id = refund.generation_id
         WHERE refund.kind = 'refund') AS compared
 WHERE NOT fits OR times > 1
"""
# Of the few adjustments that take a grant back: each has that grant's amount, in the same wallet.
TAKEN_BACK = """
SELECT adjustment.wallet_id, adjustment.id
  FROM credits_ledgerentry adjustment
  LEFT JOIN credits_ledgerentry given
         ON given.kind = 'grant' AND adjustment.reference = 'taken-back-' || given.id
        AND given.wallet_id = adjustment.wallet_id AND given.amount = -adjustment.amount
 WHERE adjustment.kind = 'adjustment' AND adjustment.reference LIKE 'taken-back-%'
   AND given.id IS NULL
"""
# Of the few that give back what a reversal took: no more than it took, in the same wallet.
REINSTATED = """
SELECT given.wallet_id, given.id
  FROM credits_ledgerentry given
  LEFT JOIN credits_ledgerentry taken
         ON taken.kind = 'reversal' AND taken.reference = given.reference
        AND taken.wallet_id = given.wallet_id AND -taken.amount >= given.amount
 WHERE given.kind = 'reinstated' AND taken.id IS NULL
"""


@dataclass(frozen=True, slots=True)
class Difference:
    """What is wrong with one account."""

    account: uuid.UUID
    problem: str


@dataclass(slots=True)
class Result:
    """What was looked at, and everything that does not add up."""

    counts: dict[str, int]
    differences: list[Difference] = field(default_factory=list)

    def seen(self) -> str:
        """How much was looked at, in words."""
        return ", ".join(f"{count} {name}" for name, count in self.counts.items())

    def to_dict(self) -> dict[str, Any]:
        shown = [{"account": str(d.account), "problem": d.problem} for d in self.differences]
        return {**self.counts, "differences": shown}


def check_ledger(progress: Callable[[int, int], None] | None = None) -> Result:
    """Compare wallets with entries, refunds with charges, what was taken back with what was given.

    After each batch ``progress`` gets the number of entries read and the number of all. Never
    inside a transaction: it takes a snapshot of its own.
    """
    result = Result({"wallets": 0, "entries": 0})
    with transaction.atomic(durable=True), connection.cursor() as cursor:
        begin_snapshot(cursor)
        cursor.execute("SELECT set_config('work_mem', %s, true)", [SORT_MEMORY])
        cursor.execute(BATCHES, {"batch": BATCH})
        batches = cursor.fetchall()
        after = uuid.UUID(int=0)
        for upto, read in batches:
            _check_wallets(cursor, after, upto, result)
            after = upto
            if progress is not None:
                progress(read, batches[-1][1])
        cursor.execute(REFUNDS)
        for account, entry, fits, times in cursor.fetchall():
            problem = f"its charge was refunded {times} times" if fits else "it fits no charge"
            result.differences.append(Difference(account, f"refund {entry}: {problem}"))
        cursor.execute(TAKEN_BACK)
        for account, entry in cursor.fetchall():
            problem = f"adjustment {entry} takes back what was not granted"
            result.differences.append(Difference(account, problem))
        cursor.execute(REINSTATED)
        for account, entry in cursor.fetchall():
            problem = f"entry {entry} reinstates what no reversal took"
            result.differences.append(Difference(account, problem))
    return result


def _check_wallets(cursor: Any, after: uuid.UUID, upto: uuid.UUID, result: Result) -> None:
    """Add the differences of the wallets between two."""
    cursor.execute(WALLETS, {"after": after, "upto": upto})
    for row in cursor.fetchall():
        account, entries, stored, added, sequence, last, gap, slip, noted, taken = row
        if account is None:
            result.counts["wallets"] += stored
            result.counts["entries"] += int(entries)
            continue
        problems = {
            f"the balance is {stored}, the entries add up to {added}": stored != added,
            f"the wallet counts {sequence} entries, the newest is number {last}": sequence != last,
            f"the sequence breaks off at number {gap}": gap is not None,
            f"the balance after number {slip} is wrong": slip is not None,
            f"the wallet notes {noted} reversed, the entries add up to {taken}": noted != taken,
        }
        result.differences += [
            Difference(account, problem) for problem, is_there in problems.items() if is_there
        ]


def begin_snapshot(cursor: Any) -> None:
    """Make the transaction that has just begun a read-only snapshot without a time limit."""
    cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
    cursor.execute("SET LOCAL statement_timeout = 0")
