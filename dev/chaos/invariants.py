"""What must be true of the rows after everything has calmed down: I1 to I6, I10, I11 of the list.

These were written apart from the product's own checks (``check_ledger``, ``check_generations``),
which run as well. I7 to I9 need what the customers saw: dev/chaos/promises.py.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
from psycopg.rows import dict_row

from dev.embedded import StackError

SHOWN = 3  # offenders named in a sentence

# The things that are asked, and their number.
OWN_CODE = "failed in our own code"  # work/run.py, generation/stages/sweep.py
COUNTS = {
    "wallets": "SELECT count(*) FROM credits_wallet",
    "generations": "SELECT count(*) FROM generation_generation",
    "refunds": "SELECT count(*) FROM credits_ledgerentry WHERE kind = 'refund'",
    "undelivered": """SELECT count(*) FROM generation_generation
                       WHERE state IN ('failed', 'canceled')""",
    "delivered": "SELECT count(*) FROM generation_generation WHERE state = 'completed'",
    "entries": "SELECT count(*) FROM credits_ledgerentry",
}
# A rule, the things it is about, and a query of those that break it.
QUESTIONS = {
    "I1 a balance is the sum of its entries": (
        "wallets",
        """
        SELECT wallet.account_id FROM credits_wallet wallet
          LEFT JOIN credits_ledgerentry entry ON entry.wallet_id = wallet.account_id
         GROUP BY wallet.account_id, wallet.balance
        HAVING wallet.balance <> COALESCE(sum(entry.amount), 0)""",
    ),
    "only a reversal overdraws": (
        "entries",
        """
        SELECT id FROM credits_ledgerentry
         WHERE balance_after < 0 AND amount < 0 AND kind <> 'reversal'
           AND NOT (kind = 'adjustment' AND generation_id IS NOT NULL)""",
    ),
    "a wallet below 0 had a reversal, and counts them": (
        "wallets",
        """
        SELECT wallet.account_id FROM credits_wallet wallet
          LEFT JOIN credits_ledgerentry entry
            ON entry.wallet_id = wallet.account_id AND entry.kind = 'reversal'
         GROUP BY wallet.account_id, wallet.balance, wallet.reversed
        HAVING wallet.reversed <> COALESCE(-sum(entry.amount), 0)
            OR wallet.balance < 0 AND wallet.reversed = 0""",
    ),
    "I2 exactly one charge, of the price": (
        "generations",
        """
        SELECT g.id FROM generation_generation g
          LEFT JOIN credits_ledgerentry e ON e.generation_id = g.id AND e.kind = 'charge'
         GROUP BY g.id, g.price HAVING count(e.id) <> 1 OR min(e.amount) <> -g.price""",
    ),
    "I3 failed or canceled: exactly one refund": (
        "undelivered",
        """
        SELECT g.id FROM generation_generation g
          LEFT JOIN credits_ledgerentry e ON e.generation_id = g.id AND e.kind = 'refund'
         WHERE g.state IN ('failed', 'canceled') GROUP BY g.id HAVING count(e.id) <> 1""",
    ),
    "I4 completed: no refund": (
        "delivered",
        """
        SELECT g.id FROM generation_generation g
          JOIN credits_ledgerentry e ON e.generation_id = g.id AND e.kind = 'refund'
         WHERE g.state NOT IN ('failed', 'canceled')""",
    ),
    "I5 a refund is its charge": (
        "refunds",
        """
        SELECT refund.id FROM credits_ledgerentry refund
          LEFT JOIN credits_ledgerentry charge ON charge.id = refund.reverses
           AND charge.kind = 'charge' AND charge.generation_id = refund.generation_id
           AND charge.wallet_id = refund.wallet_id AND charge.amount = -refund.amount
         WHERE refund.kind = 'refund' AND charge.id IS NULL""",
    ),
    "I6 nothing is open": (
        "generations",
        """
        SELECT id FROM generation_generation
         WHERE state NOT IN ('completed', 'failed', 'canceled') OR finished_at IS NULL""",
    ),
    "I10 exactly one final event, the last one": (
        "generations",
        """
        SELECT g.id FROM generation_generation g
          LEFT JOIN generation_generationevent e ON e.generation_id = g.id AND e.is_terminal
         GROUP BY g.id, g.state, g.version
        HAVING count(e.id) <> 1 OR min(e.state) <> g.state OR min(e.sequence) <> g.version""",
    ),
    "I11 customers are told once, of this end": (
        "generations",
        """
        SELECT g.id FROM generation_generation g
          LEFT JOIN events_event e ON e.generation_id = g.id
         GROUP BY g.id, g.state
        HAVING count(e.id) <> (g.state IN ('completed', 'failed', 'canceled'))::int
            OR min(e.type) <> 'generation.' || g.state""",
    ),
    "a charge or refund is of a generation": (
        "entries",
        """
        SELECT e.id FROM credits_ledgerentry e
          LEFT JOIN generation_generation g ON g.id = e.generation_id
         WHERE e.kind IN ('charge', 'refund') AND g.id IS NULL""",
    ),
    "open charges are counted": (
        "wallets",
        "SELECT account_id FROM credits_wallet WHERE open_charges <> 0",
    ),
    "nothing was delivered that the provider did not make": (
        "delivered",
        """
        SELECT g.id FROM generation_generation g WHERE state = 'completed' AND NOT EXISTS (
            SELECT FROM generation_attempt a WHERE a.generation_id = g.id
               AND a.outcome IN ('accepted', 'adopted'))""",
    ),
    "a video has the length and the sound that were ordered": (
        "delivered",
        """
        SELECT id FROM generation_generation
         WHERE state = 'completed' AND kind = 'video' AND output_key <> ''
           AND ((output_facts->>'audio_codec' IS NOT NULL)
                 <> COALESCE((parameters->>'generate_audio')::bool, true)
                OR abs((output_facts->>'duration_seconds')::float8
                       - COALESCE((parameters->>'duration')::int, 8)) > 1)""",
    ),
    "what was delivered is forgotten at the provider": (
        "delivered",
        """
        SELECT generation.id FROM generation_generation generation
          JOIN generation_attempt attempt ON attempt.generation_id = generation.id
         WHERE generation.state = 'completed' AND attempt.number = generation.output_attempt
           AND attempt.backend = 'interactions' AND attempt.operation_name <> ''
           AND attempt.forgotten_at IS NULL""",
    ),
}
GENERATIONS = """
SELECT g.id::text, g.state, g.kind, g.idempotency_key, g.error_code, g.output_key,
       g.output_sha256, g.output_size, g.last_error,
       (SELECT count(*) FROM generation_attempt a WHERE a.generation_id = g.id
           AND a.outcome IN ('unknown', 'adopted', 'asked')) AS doubts
  FROM generation_generation g ORDER BY created_at
"""
Row = dict[str, Any]
Manage = Callable[..., str]


@dataclass(frozen=True, slots=True)
class Finding:
    """A rule, the number of things it was asked of, and those that break it."""

    sentence: str
    checked: int
    wrong: list[str] = field(default_factory=list)

    @property
    def problem(self) -> str | None:
        """A sentence when it does not hold."""
        if not self.wrong:
            return None
        names = ", ".join(self.wrong[:SHOWN])
        return f"{self.sentence}: not so {len(self.wrong)} times, such as {names}"


def finding(sentence: str, checked: int, offenders: Iterable[object]) -> Finding:
    return Finding(sentence, checked, [str(each) for each in offenders])


def generations(owner_url: str) -> list[Row]:
    """Every generation of the run."""
    with psycopg.connect(owner_url, row_factory=dict_row) as connection:
        return connection.execute(GENERATIONS).fetchall()


def asked_of_rows(connection: psycopg.Connection[Any]) -> list[Finding]:
    """I1 to I6, I10 and I11, and what else the rows say."""
    counts = {what: _column(connection, query)[0] for what, query in COUNTS.items()}
    return [
        finding(sentence, counts[what], _column(connection, query))
        for sentence, (what, query) in QUESTIONS.items()
    ]


def both_delivered(connection: psycopg.Connection[Any]) -> Finding:
    """Nothing is proven of a backend that was not met."""
    query = "SELECT DISTINCT backend FROM generation_generation WHERE state = 'completed'"
    missing = {"vertex", "interactions"} - set(_column(connection, query))
    return finding("each backend delivered something", 2, sorted(missing))


def _column(connection: psycopg.Connection[Any], query: str) -> list[Any]:
    return [row[0] for row in connection.execute(query.encode()).fetchall()]


def own_errors(logs: Path) -> Finding:
    """A row on which our own code failed comes back with its lease, so that no row tells of it."""
    found = []
    for log in sorted(logs.glob("*.log")):
        with log.open(errors="replace") as lines:
            found += [f"{log.name}: {line[:300].strip()}" for line in lines if OWN_CODE in line]
    return finding("no stage failed in our own code", len(list(logs.glob("*.log"))), found)


def own_checks(manage: Manage) -> list[Finding]:
    """The commands that an operator would type."""
    found = []
    for command in ("check_ledger", "check_generations", "check_payments"):
        try:
            manage(command)
            wrong = []
        except StackError as error:
            wrong = [str(error)]
        found.append(Finding(f"manage.py {command} has nothing to say", 1, wrong))
    return found
