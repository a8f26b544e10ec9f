"""Facts become money, once: whatever is told, how often, in which order, and by whom."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.conf import settings
from django.db import connections

from credits.models import LedgerEntry
from payments import holding, ordering, schedule, settling, stage
from payments.models import Payment
from payments.models.states import ALL, State
from payments.stripe import facts as stripe_facts
from payments.stripe.connection import connect
from payments.waking import make_due
from tests.support.paying import Till, long_ago
from tests.support.people import Person
from tests.support.stripe_works import until
from work import due

LEASE = 30.0


def claimed(payment: Payment) -> Payment:
    make_due(payment.pk)
    [row] = due.claim(Payment, ALL, 1, LEASE)
    assert row.pk == payment.pk
    return row


def fetched(till: Till, payment: Payment) -> stripe_facts.Facts:
    fetch = stripe_facts.fetch(connect(till.worker.http), payment.session_id or "")
    found = till.worker.engine.loop.run_until_complete(fetch)
    assert isinstance(found, stripe_facts.Facts)
    return found


def purchases(person: Person) -> list[int]:
    return [each.amount for each in person.entries if each.kind == "purchase"]


def test_a_paid_payment_is_credited_once(till: Till, alice: Person) -> None:
    payment = till.order(alice, "credits_2500")
    assert till.settled(payment).state == State.OPEN
    assert alice.balance == 1000
    till.pay(payment)
    for _ in range(3):
        till.settled(payment)
    assert payment.state == State.PAID
    assert (payment.paid_minor, payment.tax_minor, payment.discount_minor) == (2500, 0, 0)
    assert payment.intent_id
    assert payment.charge_id
    assert payment.invoice_id
    assert payment.next_attempt_at is None
    [entry] = LedgerEntry.objects.filter(kind="purchase")
    assert (entry.amount, entry.reference) == (2500, f"stripe:{payment.pk}")
    assert payment.purchase_id == entry.pk
    assert alice.balance == 3500


def test_the_refused_card_leaves_the_link_open(till: Till, alice: Person) -> None:
    payment = till.order(alice)
    till.pay(payment, card="4000 0000 0000 0002")
    assert till.settled(payment).state == State.OPEN
    till.pay(payment)
    assert till.settled(payment).state == State.PAID


def test_two_workers_with_the_same_facts_credit_once(till: Till, alice: Person) -> None:
    """The lease decides: the first worker lost it to the second one."""
    payment = till.order(alice)
    till.pay(payment)
    first = claimed(payment)
    facts = fetched(till, payment)
    second = claimed(payment)
    barrier = threading.Barrier(2)

    def settle(row: Payment) -> None:
        barrier.wait()
        try:
            settling.settle(row, facts)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(settle, [first, second]))
    assert purchases(alice) == [500]
    payment.refresh_from_db()
    assert (payment.state, payment.lease_token, payment.strikes) == (State.PAID, None, 0)


def test_a_wake_up_while_a_worker_holds_the_payment_is_not_lost(till: Till, alice: Person) -> None:
    payment = till.order(alice, told=True)
    row = claimed(payment)
    before = fetched(till, payment)
    till.pay(payment)  # whose webhook finds the row held
    settling.settle(row, before)
    payment.refresh_from_db()
    assert payment.state == State.OPEN
    until(till.settle)  # it is due, and nobody made it so again
    payment.refresh_from_db()
    assert payment.state == State.PAID


def test_a_failing_transaction_leaves_nothing_behind(
    till: Till, alice: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The worker dies between the entry and the payment's row: both or neither."""
    payment = till.order(alice)
    till.pay(payment)

    def die(*args: object, **values: object) -> None:
        raise RuntimeError

    with monkeypatch.context() as dying:
        dying.setattr(holding, "release", die)
        till.settled(payment)
    assert payment.state == State.OPEN
    assert "RuntimeError" in payment.last_error
    assert purchases(alice) == []
    assert till.settled(payment).state == State.PAID
    assert purchases(alice) == [500]


@pytest.mark.parametrize("place", ["settle.after_fetch", "settle.after_commit"])
def test_a_worker_that_dies_at_a_crash_point_loses_and_doubles_nothing(
    till: Till, alice: Person, place: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    payment = till.order(alice)
    till.pay(payment)

    def die(name: str) -> None:
        if name == place:
            raise RuntimeError(name)

    with monkeypatch.context() as dying:
        dying.setattr(stage, "crash_point", die)
        till.settled(payment)
    assert (payment.state == State.PAID) == (place == "settle.after_commit")
    assert till.settled(payment).state == State.PAID
    assert purchases(alice) == [500]


@pytest.mark.parametrize("scenario", ["wrong-amount", "wrong-currency"])
def test_money_for_something_else_waits_for_a_person(
    till: Till, alice: Person, scenario: str
) -> None:
    payment = till.order(alice, scenario=scenario)
    till.pay(payment)
    till.settled(payment)
    assert (payment.state, payment.purchase_id) == (State.MISMATCH, None)
    name = {"wrong-amount": "amount_subtotal", "wrong-currency": "currency"}[scenario]
    assert name in payment.last_error
    assert till.settled(payment).state == State.MISMATCH
    assert name in payment.last_error
    assert alice.balance == 1000


def test_a_payment_of_the_other_mode_is_never_asked_about(till: Till, alice: Person) -> None:
    live = till.row(alice, livemode=True, session_id="cs_live_1", state=State.OPEN, url="https://x")
    assert till.settle(live) == 0


def test_a_large_first_purchase_waits_for_a_person(
    till: Till, alice: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settings, "PURCHASE_REVIEW_FIRST_ABOVE", 500)
    large, small = till.order(alice, "credits_2500"), till.order(alice, "credits_500")
    for payment in (large, small):
        till.pay(payment)
    assert till.settled(large).state == State.MISMATCH
    assert "first purchase" in large.last_error
    assert till.settled(small).state == State.PAID
    assert till.bought(alice, "credits_2500").state == State.PAID
    assert till.settled(large).state == State.MISMATCH
    assert "first purchase" in large.last_error


def test_a_bank_debit_credits_when_the_bank_has_paid(till: Till, alice: Person) -> None:
    payment = till.order(alice)
    till.press(payment, method="sepa_debit", iban="DE89 3704 0044 0532 0130 00")
    assert till.settled(payment).state == State.PROCESSING
    assert alice.balance == 1000
    assert till.until(payment, State.PAID).purchase_id
    assert alice.balance == 1500


def test_a_bank_debit_that_fails_credits_nothing(till: Till, alice: Person) -> None:
    payment = till.order(alice)
    till.press(payment, method="sepa_debit", iban="DE62 3704 0044 0532 0130 01")
    assert till.settled(payment).state == State.PROCESSING
    till.until(payment, State.FAILED)
    assert alice.balance == 1000
    assert payment.next_attempt_at is None


def test_an_ended_link_expires_and_late_money_is_credited_after_all(
    till: Till, alice: Person
) -> None:
    payment = till.order(alice)
    till.stripe.sdk.v1.checkout.sessions.expire(payment.session_id or "")
    assert till.settled(payment).state == State.EXPIRED
    assert payment.next_attempt_at is None
    till.stripe.control("pays-after-expiry", str(payment.pk)).raise_for_status()
    assert till.settled(payment).state == State.PAID
    assert purchases(alice) == [500]


def test_paid_before_the_create_call_was_answered(
    till: Till, alice: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ordering, "PATIENCE", 8.0)
    payment = till.order(alice, scenario="before-answer")
    assert till.settled(payment).state == State.PAID
    assert purchases(alice) == [500]


def test_a_session_that_stripe_lost_ends_with_its_link(till: Till, alice: Person) -> None:
    payment = till.row(alice, session_id="cs_test_gone", state=State.OPEN, url="https://x")
    assert till.settled(payment).state == State.OPEN
    assert "No such" in payment.last_error
    old = till.row(
        alice, session_id="cs_test_gone_2", state=State.OPEN, url="https://x", **long_ago(43 * 60)
    )
    assert till.settled(old).state == State.EXPIRED
    assert old.next_attempt_at is None


@pytest.mark.parametrize(
    ("age", "least", "most"),
    [(1, 58, 60), (70, 228, 231), (310, 588, 591), (901, 597, 600), (2401, 117, 120)],
)
def test_an_open_payment_is_looked_at_seldom_and_at_its_end(
    till: Till, alice: Person, age: int, least: int, most: int
) -> None:
    """At 1, 5 and 15 minutes, then every ten, and two minutes after the link's end."""
    old = till.row(alice, **long_ago(age), session_id="cs_1", state=State.OPEN, url="https://x")
    row = claimed(old)
    at = schedule.next_look(row, State.OPEN, undecided=False)
    assert at is not None
    assert least <= (at - row.claimed_at).total_seconds() <= most


def test_stripe_away_changes_nothing_and_is_asked_again(
    till: Till, alice: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    payment = till.order(alice)
    till.pay(payment)
    with monkeypatch.context() as away:
        away.setattr(settings, "STRIPE_BASE_URL", "http://127.0.0.1:9")
        till.settled(payment)
    assert payment.state == State.OPEN
    assert payment.next_attempt_at is not None
    assert payment.last_error
    assert till.settled(payment).state == State.PAID
    assert payment.last_error == ""


def test_with_every_webhook_lost_the_customer_s_return_credits(till: Till, alice: Person) -> None:
    payment = till.order(alice)
    till.pay(payment)
    began = time.monotonic()
    make_due(payment.pk)
    till.settle()
    payment.refresh_from_db()
    assert payment.state == State.PAID
    assert time.monotonic() - began < 5
