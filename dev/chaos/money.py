"""What must be true of payments once everything is over: money taken = credits given.

Stripe's side is what its emulator says; ours is rows and ledger, without the product's own checks
(``check_payments`` runs as well).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import psycopg
from psycopg.rows import dict_row

from dev.chaos import TIME_SCALE
from dev.chaos.invariants import Finding, Row, finding
from dev.chaos.purchases import DIFFERS, REFUSED_MANNERS
from dev.chaos.stripe_page import StripePage

SECONDS = 40.0  # in which a worker finds what no webhook told, the lease of a killed one included
TURN = 0.5
ENDS_WITHIN = 15 * 60 * TIME_SCALE  # seconds after the link's end
TOOK = "credited: Stripe took the money"
LAST = "money taken = credits given, payment by payment"
CREDITED_TWICE = "no payment is credited twice"
LOST = "money that was taken as ordered is credited"

# What no webhook told waits for the next day; here the day is over at once.
IT_IS_TIME = """
UPDATE payments_stripemark SET seen_until = seen_until - interval '1 day' WHERE seen_until <= %s
"""
# Both lists were read since, and no payment that was found there is still to be looked at.
LOOKED = """
SELECT (SELECT count(*) = 2 FROM payments_stripemark WHERE seen_until > %s)
   AND NOT EXISTS (SELECT FROM payments_payment
                    WHERE lease_token IS NOT NULL OR next_attempt_at <= now())
"""
PAYMENTS = """
SELECT payment.id::text, payment.account_id::text, state, credits, amount_minor, livemode,
       idempotency_key, session_id, reversed_credits,
       extract(epoch FROM finished_at - expires_at)::float8 AS ended_after,
       (SELECT count(*) FROM credits_ledgerentry entry
         WHERE kind = 'purchase' AND reference LIKE '%' || payment.id || '%') AS purchases,
       (SELECT COALESCE(sum(amount), 0)::bigint FROM credits_ledgerentry entry
         WHERE kind = 'purchase' AND reference LIKE '%' || payment.id || '%'
           AND wallet_id = payment.account_id) AS given,
       (SELECT COALESCE(-sum(amount), 0)::bigint FROM credits_ledgerentry entry
          JOIN payments_reversal reversal ON entry.id IN (entry_id, reinstated_id)
         WHERE payment_id = payment.id) AS taken_back,
       EXISTS (SELECT FROM payments_reversal
                WHERE payment_id = payment.id AND created_by_id IS NOT NULL) AS by_operator
  FROM payments_payment payment ORDER BY created_at
"""
STRANGE_PURCHASES = """
SELECT entry.id FROM credits_ledgerentry entry
  LEFT JOIN payments_payment payment ON payment.purchase_id = entry.id
 WHERE entry.kind = 'purchase' AND payment.id IS NULL
"""
OPEN = ("created", "open", "processing")
ORDINARY = {"taken": 0, "refunded": 0, "disputed": 0}


@dataclass(slots=True)
class Till:
    """Both sides at one moment."""

    rows: list[Row]
    money: dict[str, dict[str, int]]
    strange: list[str] = field(default_factory=list)  # purchases of no payment

    def of(self, row: Row) -> dict[str, int]:
        """What Stripe took for it and gave back, in the minor unit."""
        return self.money.get(row["id"], ORDINARY)


def look(owner_url: str, stripe: StripePage) -> Till:
    """Our side first: what Stripe took meanwhile is newer there than here."""
    with psycopg.connect(owner_url, row_factory=dict_row) as connection:
        rows, strange = ours(connection)
    return Till(rows, stripe.money(), strange)


def ours(connection: psycopg.Connection[Row]) -> tuple[list[Row], list[str]]:
    """Every payment with what the ledger has of it, and purchases of no payment."""
    rows = connection.execute(PAYMENTS.encode()).fetchall()
    return rows, [str(row["id"]) for row in connection.execute(STRANGE_PURCHASES).fetchall()]


def settle(owner_url: str, stripe: StripePage) -> Till:
    """End the day for the daily look; wait until it is over and both sides agree, at most SECONDS.

    A refund may change without a difference of money.
    """
    began = time.monotonic()
    with psycopg.connect(owner_url, autocommit=True) as connection:
        [(now,)] = connection.execute("SELECT now()").fetchall()
        while True:
            # again, if a look that was under way has written when it began
            connection.execute(IT_IS_TIME.encode(), [now])
            [(looked,)] = connection.execute(LOOKED.encode(), [now]).fetchall()
            till = look(owner_url, stripe)
            is_over = looked and not list(_differences(till))
            if is_over or time.monotonic() > began + SECONDS:
                return till
            time.sleep(TURN)


def findings(till: Till, scenarios: dict[str, set[str]]) -> list[Finding]:
    """``scenarios``: what was played for each payment."""
    rows = till.rows
    paid = [row for row in rows if row["state"] == "paid"]
    taken = [row for row in rows if till.of(row)["taken"]]
    over = [row for row in rows if row["state"] in ("expired", "failed") and not row["by_operator"]]
    asked: list[tuple[str, list[Row], Callable[[Row], bool]]] = [
        ("every payment ends", rows, lambda row: row["state"] not in OPEN),
        (
            "a payment that nobody pays ends within 15 minutes of its link, scaled",
            over,
            lambda row: row["ended_after"] <= ENDS_WITHIN,
        ),
        (
            "money taken: one purchase of exactly its credits, or a person's look",
            taken,
            lambda row: row["purchases"] == (row["state"] == "paid") and _is_known(row),
        ),
        (TOOK, paid, lambda row: till.of(row)["taken"] > 0),
        ("credited: exactly what was sold", paid, lambda row: row["given"] == row["credits"]),
        (CREDITED_TWICE, rows, lambda row: row["purchases"] <= 1),
        (LOST, _as_ordered(taken, scenarios), lambda row: row["state"] == "paid"),
        (
            "reversed credits = what was taken back",
            paid,
            lambda row: row["taken_back"] == row["reversed_credits"] == _back(till, row),
        ),
        ("no payment is of the other mode", rows, lambda row: not row["livemode"]),
    ]
    found = [
        finding(sentence, len(of), (_told(till, row) for row in of if not holds(row)))
        for sentence, of, holds in asked
    ]
    strangers = sorted(set(till.money) - {row["id"] for row in rows})
    return [
        *found,
        finding("a purchase is of a payment", len(paid), till.strange),
        finding("Stripe took money for no payment but ours", len(till.money), strangers),
        finding(LAST, len(rows), _differences(till)),
    ]


def once_at_stripe(rows: list[Row], stripe: StripePage) -> tuple[Finding, dict[str, set[str]]]:
    """Nobody has two links or two charges for one payment; and which scenarios were played."""
    wrong, scenarios = [], dict[str, set[str]]()
    for row in rows:
        there = stripe.payment(row["id"])
        if there is None:
            if row["session_id"]:
                wrong.append(f"Stripe does not know {row['id']}")
            continue
        scenarios[row["id"]] = {word.partition("=")[0] for word in there["scenario"]}
        kinds = [each["object"] for each in there["objects"]]
        charged = [each for each in there["objects"] if _is_charge(each)]
        if kinds.count("checkout.session") != 1 or len(charged) > 1:
            wrong.append(f"{row['id']}: {sorted(kinds)}")
    return finding("one Checkout Session a payment, and one charge", len(rows), wrong), scenarios


def refused(deliveries: list[dict[str, Any]]) -> Finding:
    """A web server that was killed meanwhile answers nothing; of a database no lie has need."""
    odd = [each for each in deliveries if each["manner"] in REFUSED_MANNERS]
    taken = [each for each in odd if each["status"] not in (400, None)]
    words = (f"{each['manner']} {each['event']} was answered {each['status']}" for each in taken)
    return finding("forged, old and wrongly moded webhooks are refused", len(odd), words)


def _is_charge(each: dict[str, Any]) -> bool:
    return bool(each["object"] == "charge" and each["status"] in ("succeeded", "pending"))


def _is_known(row: Row) -> bool:
    """It is credited, or it waits for a person, or a person gave the money back."""
    given_back = row["state"] == "failed" and row["by_operator"]
    return row["state"] in ("paid", "mismatch") or bool(given_back)


def _as_ordered(rows: list[Row], scenarios: dict[str, set[str]]) -> list[Row]:
    return [row for row in rows if not scenarios.get(row["id"], set()) & set(DIFFERS)]


def _back(till: Till, row: Row) -> int:
    """The credits that stand for what was refunded, or all while a dispute holds the money."""
    money, sold = till.of(row), int(row["credits"])
    if money["disputed"]:
        return sold
    return sold * money["refunded"] // money["taken"] if money["taken"] else 0


def _differences(till: Till) -> Iterator[str]:
    """The last question, of every payment of either side."""
    for row in till.rows:
        money = till.of(row)
        taken = money["taken"]
        kept = row["credits"] - _back(till, row) if taken else 0
        if taken and row["state"] != "paid" and _is_known(row):
            kept = 0  # nothing is given before a person decides, nor after it was given back
        is_kept = row["state"] == "failed" and money["refunded"] != taken  # and nothing given
        if row["given"] - row["taken_back"] != kept or is_kept or row["state"] in OPEN:
            yield _told(till, row)


def _told(till: Till, row: Row) -> str:
    ours = f"{row['given']} - {row['taken_back']} of {row['credits']} credits"
    return f"{row['id']} is {row['state']} with {ours}, Stripe has {till.of(row)}"
