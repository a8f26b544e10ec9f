"""What each word of Stripe's stands for; one that nobody knows changes nothing."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from prometheus_client import REGISTRY

from payments import settling
from payments.judging import judge
from payments.models.states import State
from tests.payments.test_settling import claimed, fetched
from tests.support.paying import Till
from tests.support.people import Person

GOOD = {"status": "complete", "payment_status": "paid", "intent_status": "succeeded", "url": ""}


@pytest.mark.parametrize(
    ("changes", "state"),
    [
        ({}, State.PAID),
        ({"amount_total": 9_999, "tax": 1}, State.PAID),
        ({"status": "open", "url": "https://x"}, State.OPEN),
        ({"status": "expired", "payment_status": "unpaid"}, State.EXPIRED),
        ({"payment_status": "unpaid", "intent_status": "processing"}, State.PROCESSING),
        ({"payment_status": "unpaid", "intent_status": "requires_action"}, State.PROCESSING),
        ({"payment_status": "unpaid", "intent_status": "succeeded"}, State.PROCESSING),
        ({"payment_status": "unpaid", "intent_status": "canceled"}, State.FAILED),
        ({"payment_status": "unpaid", "intent_status": "requires_payment_method"}, State.FAILED),
        ({"payment_status": "no_payment_required", "amount_total": 0}, State.MISMATCH),
        ({"reference": "another"}, State.MISMATCH),
        ({"named": ""}, State.MISMATCH),
        ({"livemode": True}, State.MISMATCH),
        ({"currency": "eur"}, State.MISMATCH),
        ({"amount_subtotal": 499}, State.MISMATCH),
        ({"items": 2}, State.MISMATCH),
    ],
)
def test_the_state_that_facts_stand_for(
    till: Till, alice: Person, changes: dict[str, object], state: State
) -> None:
    payment = till.order(alice)
    facts = replace(fetched(till, payment), **GOOD | changes)  # type: ignore[arg-type]
    assert judge(payment, facts).state == state


@pytest.mark.parametrize(
    "changes",
    [
        {"status": "paused"},
        {"payment_status": "half_paid"},
        {"status": "expired"},  # and paid
        {"payment_status": "unpaid", "intent_status": "asleep"},
        {"payment_status": "unpaid", "intent_status": ""},
    ],
)
def test_a_word_that_nobody_knows_calls_a_person_and_is_looked_at_later(
    till: Till, alice: Person, changes: dict[str, object]
) -> None:
    payment = till.order(alice)
    facts = replace(fetched(till, payment), **GOOD | changes)  # type: ignore[arg-type]
    name, labels = "reelmint_payment_surprises_total", {"kind": "unknown_value"}
    before = REGISTRY.get_sample_value(name, labels) or 0.0
    row = claimed(payment)
    settling.settle(row, facts)
    payment.refresh_from_db()
    assert (payment.state, payment.purchase_id) == (State.OPEN, None)
    assert payment.next_attempt_at == row.claimed_at + timedelta(minutes=10)
    assert "unknown" in payment.last_error
    assert REGISTRY.get_sample_value(name, labels) == before + 1
    assert alice.balance == 1000
