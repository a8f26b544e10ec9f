"""The order of a payment's link: the row first, then Stripe, in the same words each time."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.conf import settings

from payments import ordering
from payments.models import BillingProfile
from payments.models.states import State
from payments.stripe import orders
from payments.stripe.connection import shared
from tests.support.paying import Till, long_ago
from tests.support.people import Person


def test_the_link_is_where_the_payment_is_paid(till: Till, alice: Person) -> None:
    payment = till.order(alice, "credits_2500")
    assert payment.state == State.OPEN
    [session] = till.objects(payment, "checkout.session")
    assert (session["id"], session["url"]) == (payment.session_id, payment.url)
    assert session["amount_subtotal"] == 2500
    assert session["currency"] == "usd"
    assert session["client_reference_id"] == session["metadata"]["payment"] == str(payment.pk)
    assert session["expires_at"] == int(payment.expires_at.timestamp())
    page = f"{settings.PUBLIC_BASE_URL}/c/{alice.account.pk}/billing/payments/{payment.pk}/"
    assert session["success_url"] == session["cancel_url"] == page
    customer = till.stripe.sdk.v1.customers.retrieve(session["customer"])
    assert customer.email == "alice@example.com"


def test_an_account_is_one_customer(till: Till, alice: Person, bob: Person) -> None:
    for person in (alice, alice, bob):
        till.order(person)
    profiles = BillingProfile.objects.values_list("account_id", "customer_id")
    assert len(profiles) == 2
    sessions = till.stripe.sdk.v1.checkout.sessions.list({"limit": 10}).data
    assert {str(each.customer) for each in sessions} == {name for _, name in profiles}


@pytest.mark.parametrize("scenario", ["create-then-no-answer", "429", "hang"])
def test_a_lost_answer_is_asked_for_again_and_there_is_one_session(
    till: Till, alice: Person, scenario: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    till.order(alice)  # the customer is known
    monkeypatch.setattr(ordering, "PATIENCE", 2.0)  # Stripe hears it on a busy machine, too
    payment = till.order(alice, scenario=scenario)
    assert (payment.state, payment.url) == (State.CREATED, "")
    assert payment.last_error
    till.until(payment, State.OPEN)
    assert payment.session_id
    assert len(till.objects(payment, "checkout.session")) == 1


def test_what_stripe_refuses_for_good_fails(
    till: Till, alice: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settings, "STRIPE_SECRET_KEY", "sk_test_revoked")
    payment = till.order(alice)
    assert (payment.state, payment.next_attempt_at) == (State.FAILED, None)
    assert payment.finished_at
    assert "sk_test_revoked" not in payment.last_error


def test_a_setting_that_changed_meanwhile_fails_the_order(
    till: Till, alice: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ordering, "PATIENCE", 2.0)
    till.order(alice)
    payment = till.order(alice, scenario="create-then-no-answer")
    monkeypatch.setattr(settings, "STRIPE_PROMOTIONS", True)
    till.until(payment, State.FAILED)
    assert "IdempotencyError" in payment.last_error


def test_after_five_minutes_without_a_link_nobody_asks_any_more(
    till: Till, alice: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settings, "STRIPE_BASE_URL", "http://127.0.0.1:9")
    payment = till.order(alice)
    assert payment.state == State.CREATED
    assert till.settled(payment).state == State.CREATED
    assert payment.next_attempt_at is not None
    assert payment.next_attempt_at - payment.created_at < timedelta(seconds=40)
    old = till.row(alice, **long_ago(301))
    assert till.settled(old).state == State.FAILED
    assert old.next_attempt_at is None
    assert old.last_error


def test_who_died_with_the_answer_is_followed_however_late(till: Till, alice: Person) -> None:
    """No worker for five minutes: Stripe has the link all the same, and maybe money."""
    late = till.row(alice, **long_ago(301))
    assert till.settled(late).state == State.OPEN
    paid = till.row(alice, **long_ago(301))
    order = orders.order_of(paid)
    assert order.customer_id
    till.stripe.control("before-answer").raise_for_status()
    orders.make_link(shared(), paid, order.customer_id)
    assert till.settled(till.settled(paid)).state == State.PAID


@pytest.mark.parametrize("by_a_worker", [True, False])
def test_a_customer_whom_stripe_lost_is_asked_for_anew(
    till: Till, alice: Person, by_a_worker: bool
) -> None:
    till.order(alice)
    till.stripe.http.post("/emulator/reset")
    lost = till.settled(till.row(alice)) if by_a_worker else till.order(alice)
    assert lost.state == State.FAILED
    assert till.order(alice).state == State.OPEN


def test_a_worker_asks_when_the_web_died(till: Till, alice: Person) -> None:
    """Killed after the row: nothing was asked; killed after the answer: it is asked again."""
    never_asked = till.row(alice)
    assert till.settled(never_asked).state == State.OPEN
    order = orders.order_of(till.row(alice))
    assert order.customer_id
    link = orders.make_link(shared(), order.payment, order.customer_id)
    assert till.settled(order.payment).session_id == link.session_id
    assert len(till.objects(order.payment, "checkout.session")) == 1
