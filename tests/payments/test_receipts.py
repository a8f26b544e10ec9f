"""A payment's invoice or receipt: asked of Stripe at the click, and not too often."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from payments import receipts
from payments.models.states import State
from payments.receipts import NoPaper
from tests.support.network_watch import Watch, watch
from tests.support.paying import Till
from tests.support.people import Person
from tests.support.purchases import a_payment

__all__ = ["watch"]


def test_a_paid_one_has_an_invoice(till: Till, alice: Person, watch: Watch) -> None:
    payment = till.bought(alice)
    url = receipts.link_of(payment)
    assert isinstance(url, str)
    assert url == f"{till.stripe.url}/i/{payment.invoice_id}"
    assert "Invoice" in httpx.get(url).text
    assert watch.inside == []


def test_without_an_invoice_the_charge_has_a_receipt(till: Till, alice: Person) -> None:
    payment = till.bought(alice)
    for lost in ("", "in_nobody_knows"):
        payment.invoice_id = lost
        assert receipts.link_of(payment) == f"{till.stripe.url}/receipts/{payment.charge_id}"


@pytest.mark.parametrize("state", [State.CREATED, State.OPEN, State.PROCESSING, State.EXPIRED])
def test_what_was_not_paid_has_none(state: State, till: Till, alice: Person) -> None:
    payment = a_payment(alice, state)
    assert not receipts.is_there(payment)
    assert receipts.link_of(payment) is NoPaper.NONE


def test_what_stripe_does_not_know_has_none(till: Till, alice: Person) -> None:
    payment = a_payment(alice)
    assert receipts.is_there(payment)
    assert receipts.link_of(payment) is NoPaper.NONE


def test_the_other_mode_is_not_asked(till: Till, alice: Person, settings: Any) -> None:
    payment = a_payment(alice, livemode=True)
    assert receipts.link_of(payment) is NoPaper.OTHER_MODE
    payment = till.bought(alice)
    settings.STRIPE_SECRET_KEY = ""
    assert receipts.link_of(payment) is NoPaper.OTHER_MODE


def test_stripe_that_is_away(till: Till, alice: Person, settings: Any, free_port: int) -> None:
    payment = till.bought(alice)
    settings.STRIPE_BASE_URL = f"http://127.0.0.1:{free_port}"
    assert receipts.link_of(payment) is NoPaper.AWAY


def test_ten_a_minute_an_account(till: Till, alice: Person, bob: Person) -> None:
    payment = till.bought(alice)
    answers = [receipts.link_of(payment) for _ in range(11)]
    assert all(isinstance(each, str) for each in answers[:10])
    assert answers[10] is NoPaper.TOO_MANY
    assert isinstance(receipts.link_of(till.bought(bob)), str)
