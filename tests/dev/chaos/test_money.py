"""Each invariant of payments is provoked once: by what one side says, and by rows of the ledger."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import psycopg
import pytest
from psycopg.rows import dict_row

from dev.chaos import money
from dev.chaos.money import CREDITED_TWICE, LAST, LOST, TOOK, Till, findings, ours, refused
from dev.chaos.purchases import SCENARIOS, WORDS, Buyer, Wish
from dev.chaos.receipts import Receipts
from dev.chaos.sold import every_scenario, kept
from dev.stripe import scenarios

ONCE = "money taken: one purchase of exactly its credits, or a person's look"
BACK = "reversed credits = what was taken back"
ENDS = "every payment ends"
IN_TIME = "a payment that nobody pays ends within 15 minutes of its link, scaled"
SOLD = "credited: exactly what was sold"


def payment(state: str = "paid", **changes: Any) -> dict[str, Any]:
    """A payment of 500 credits for 5.00 that is in order."""
    is_paid = state == "paid"
    known: dict[str, Any] = {"id": "p", "state": state, "credits": 500, "amount_minor": 500}
    known |= {"livemode": False, "idempotency_key": "k", "session_id": "cs", "ended_after": 3.0}
    known |= {"purchases": int(is_paid), "given": 500 if is_paid else 0}
    return known | {"taken_back": 0, "reversed_credits": 0, "by_operator": False} | changes


def till(row: dict[str, Any], taken: int = 0, refunded: int = 0, disputed: int = 0) -> Till:
    there = {"taken": taken, "refunded": refunded, "disputed": disputed}
    return Till([row], {"p": there} if taken else {})


def broken(both: Till, *scenario: str) -> set[str]:
    return {each.sentence for each in findings(both, {"p": set(scenario)}) if each.problem}


def back(amount: int) -> dict[str, Any]:
    return {"taken_back": amount, "reversed_credits": amount}


@pytest.mark.parametrize(
    "both",
    [
        till(payment(), 500),
        till(payment("expired")),
        till(payment(**back(166)), 500, refunded=166),
        till(payment(**back(500)), 500, refunded=166, disputed=500),
        till(payment("mismatch"), 600),
        till(payment("failed", by_operator=True), 600, refunded=600),
        till(payment(**back(250)), 600, refunded=300),  # credited by a person
    ],
)
def test_what_is_in_order_breaks_nothing(both: Till) -> None:
    assert broken(both, "wrong-amount") == set()


BROKEN: list[tuple[Till, set[str]]] = [
    (till(payment("open")), {ENDS, LAST}),
    (till(payment("expired", ended_after=60.0)), {IN_TIME}),
    (till(payment("expired"), 500), {ONCE, LOST, LAST}),  # taken and forgotten
    (till(payment("mismatch"), 500), {LOST}),  # it fitted, and a person has to look
    (till(payment()), {TOOK, LAST}),  # credited for nothing
    (till(payment(purchases=2, given=1000), 500), {ONCE, SOLD, CREDITED_TWICE, LAST}),
    (till(payment(given=499), 500), {SOLD, LAST}),
    (till(payment(), 500, refunded=1), {BACK, LAST}),  # given back, and kept
    (till(payment(**back(2)), 500, refunded=1), {BACK, LAST}),
    (till(payment(**back(1)), 500, disputed=500), {BACK, LAST}),
    (till(payment(taken_back=1, reversed_credits=0), 500, refunded=1), {BACK}),
    (till(payment("failed", by_operator=True), 500, refunded=499), {LAST, LOST}),
    (till(payment(livemode=True), 500), {"no payment is of the other mode"}),
    (Till([payment()], {"p": {"taken": 500, "refunded": 0, "disputed": 0}}, ["e"]),
     {"a purchase is of a payment"}),
    (Till([], {"p": {"taken": 500, "refunded": 0, "disputed": 0}}),
     {"Stripe took money for no payment but ours"}),
]  # fmt: skip


@pytest.mark.parametrize(("both", "expected"), BROKEN)
def test_what_is_not_is_noticed_by_name(both: Till, expected: set[str]) -> None:
    assert broken(both) == expected


def test_every_rule_was_provoked() -> None:
    """The table above has each sentence that there is."""
    provoked = {sentence for _, expected in BROKEN for sentence in expected}
    assert {each.sentence for each in findings(Till([], {}), {})} == provoked


@pytest.fixture
def ledger() -> Iterator[psycopg.Connection[dict[str, Any]]]:
    """Copies of the tables without constraints, for one session."""
    url = os.environ["TEST_ADMIN_URL"]
    with psycopg.connect(url, row_factory=dict_row) as connection:
        for table in (
            *("credits_ledgerentry", "payments_payment"),
            *("payments_reversal", "payments_stripemark"),
        ):
            connection.execute(
                f"CREATE TEMP TABLE {table} AS SELECT * FROM {table} LIMIT 0".encode()
            )
        yield connection
        connection.rollback()


def test_the_ledger_is_read_payment_by_payment(
    ledger: psycopg.Connection[dict[str, Any]],
) -> None:
    wallet, bought = uuid.uuid4(), uuid.uuid4()
    entries = {name: uuid.uuid4() for name in ("bought", "again", "gone", "back")}
    ledger.execute(
        "INSERT INTO payments_payment (id, account_id, state, credits, amount_minor, livemode,"
        " purchase_id, reversed_credits, finished_at, expires_at)"
        " VALUES (%s, %s, 'paid', 500, 500, false, %s, 40, now(), now() - interval '7 s')",
        (bought, wallet, entries["bought"]),
    )
    for name, kind, amount, reference in (
        ("bought", "purchase", 500, f"stripe:{bought}"),
        ("again", "purchase", 500, f"once more:{bought}"),
        ("gone", "reversal", -60, "reversal:r"),
        ("back", "reinstated", 20, "reversal:r"),
    ):
        ledger.execute(
            "INSERT INTO credits_ledgerentry (id, wallet_id, kind, amount, reference)"
            " VALUES (%s, %s, %s, %s, %s)",
            (entries[name], wallet, kind, amount, reference),
        )
    ledger.execute(
        "INSERT INTO payments_reversal (id, payment_id, entry_id, reinstated_id)"
        " VALUES (%s, %s, %s, %s)",
        (uuid.uuid4(), bought, entries["gone"], entries["back"]),
    )
    (row,), strange = ours(ledger)
    assert (row["purchases"], row["given"], row["taken_back"]) == (2, 1000, 40)
    assert (row["ended_after"], row["by_operator"]) == (7.0, False)
    assert strange == [str(entries["again"])]


def test_the_day_is_ended_until_both_lists_were_read(
    ledger: psycopg.Connection[dict[str, Any]],
) -> None:
    def looked() -> object:
        [row] = ledger.execute(money.LOOKED.encode(), [now]).fetchall()
        return next(iter(row.values()))

    def read(what: str) -> None:
        """As a look does that began a moment ago."""
        set_to = "UPDATE payments_stripemark SET seen_until = %s WHERE object = %s"
        ledger.execute(set_to, [now + timedelta(seconds=1), what])

    [now] = ledger.execute("SELECT now()").fetchall()[0].values()
    ledger.execute(
        "INSERT INTO payments_stripemark (object, seen_until)"
        " VALUES ('refunds', now() - interval '1 s'), ('disputes', now() - interval '1 s')"
    )
    ledger.execute(money.IT_IS_TIME.encode(), [now])
    seen = ledger.execute("SELECT seen_until FROM payments_stripemark").fetchall()
    assert [each["seen_until"] for each in seen] == [now - timedelta(days=1, seconds=1)] * 2
    read("refunds")
    assert not looked()
    ledger.execute(money.IT_IS_TIME.encode(), [now])  # what was read stays so
    read("disputes")
    assert looked()
    for column, value in (("lease_token", uuid.uuid4()), ("next_attempt_at", now)):
        ledger.execute(f"INSERT INTO payments_payment ({column}) VALUES (%s)".encode(), [value])
        assert not looked()
        ledger.execute("DELETE FROM payments_payment")


@pytest.mark.parametrize(
    ("manner", "status", "is_problem"),
    [("forged", 400, False), ("forged", None, False), ("usual", 200, False),
     ("forged", 200, True), ("replayed", 200, True), ("othermode", 503, True)],
)  # fmt: skip
def test_a_lie_that_was_believed_is_noticed(
    manner: str, status: int | None, is_problem: bool
) -> None:
    found = refused([{"manner": manner, "status": status, "event": "evt_1"}])
    assert bool(found.problem) is is_problem


def test_stripe_knows_every_scenario_that_is_asked_for() -> None:
    for each in filter(None, SCENARIOS):
        assert scenarios.of_email(f"buyer+{each}@example.com").shown() == each.split("+")
    left_out = set(scenarios.SCENARIOS) - WORDS
    assert left_out == {"auth-required"}  # of charges without the customer
    assert every_scenario(WORDS - {"hang"}).problem
    assert not every_scenario(WORDS).problem


def wish(key: str) -> Wish:
    return Wish(Buyer("secret", "buyer-1@example.com", ""), key, "credits_500")


def answer(payment_id: str) -> dict[str, Any]:
    agreed = {"pack": "credits_500", "credits": 500, "amount_minor": 500, "currency": "usd"}
    return agreed | {"payment_id": payment_id, "status": "open", "expires_at": "soon"}


def test_what_the_buyers_were_told_is_kept() -> None:
    receipts = Receipts()
    for name in ("a", "b"):
        receipts.answer(wish(f"k{name}"), answer(name))
        receipts.status({"payment_id": name, "status": "paid"})
    rows = [payment(id=name, idempotency_key=f"k{name}") for name in ("a", "b")]
    assert [each.problem for each in kept(receipts, rows)] == [None] * 4
    rows = [payment("expired", id="a", idempotency_key="ka"), payment(id="c", idempotency_key="kc")]
    assert [each.wrong for each in kept(receipts, rows)] == [[], ["kb"], ["c"], ["a", "b"]]


def test_another_answer_and_a_way_back_are_noticed() -> None:
    receipts = Receipts()
    receipts.answer(wish("k"), answer("a"))
    receipts.answer(wish("k"), answer("a"))
    assert (receipts.wrong, receipts.tally["checkouts repeated"]) == ([], 1)
    receipts.answer(wish("k"), answer("b"))
    for status in ("open", "expired", "paid", "expired"):
        receipts.status({"payment_id": "a", "status": status})
    assert len(receipts.wrong) == 2
    assert receipts.wrong[1] == "payment a was paid, then expired"
