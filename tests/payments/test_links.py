"""Where a browser may be sent: to Stripe, as its own link says, and nowhere else."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from payments import links
from payments.models.states import State
from tests.support.people import Person
from tests.support.purchases import a_payment

STRIPES = "https://checkout.stripe.com/c/pay/cs_test_a1#fidkdWxOYHwnPyd1blpxYHZxWjA0"


@pytest.mark.parametrize(
    ("url", "allowed"),
    [
        (STRIPES, True),
        ("https://invoice.stripe.com/i/acct_1/test_1?s=ap", True),
        ("https://stripe.com/", True),
        ("http://checkout.stripe.com/c/pay/cs_1", False),
        ("https://checkout.stripe.com.example/c", False),
        ("https://notstripe.com/", False),
        ("https://stripe.com@example.com/", False),
        ("https://example.com/#stripe.com", False),
        ("https://example.com\\@checkout.stripe.com/", False),
        ("javascript:alert(1)//stripe.com", False),
        ("//checkout.stripe.com/", False),
        ("https://checkout.stripe.com/\r\nSet-Cookie: a=b", False),
        ("https://checkout.stripe.com/a b", False),
        ("https://[checkout.stripe.com/", False),
        ("https://checkout.stripe.com:no/", False),
        ("https://checkout.stripe.com/ü", False),
        (f"https://checkout.stripe.com/{'a' * 4000}", False),
        ("https://", False),
        ("", False),
    ],
)
def test_only_addresses_of_stripes(url: str, allowed: bool, settings: Any) -> None:
    settings.STRIPE_BASE_URL = ""
    assert links.is_stripes(url) is allowed


def test_what_stands_in_for_stripe_may_be_anywhere(settings: Any) -> None:
    settings.STRIPE_BASE_URL = "http://emulator:9100"
    assert links.is_stripes("http://127.0.0.1:9100/c/pay/cs_1")
    assert not links.is_stripes("javascript:alert(1)")
    assert not links.is_stripes("data:text/html,x")


@pytest.mark.parametrize("state", list(State))
def test_only_what_is_open_can_be_paid(state: State, alice: Person, settings: Any) -> None:
    settings.STRIPE_BASE_URL = ""
    row = a_payment(alice, state, url=STRIPES)
    assert links.to_pay(row) == (STRIPES if state == State.OPEN else "")


def test_a_link_ends_with_its_time(alice: Person, settings: Any) -> None:
    """A worker notes it two minutes later; nobody is sent to a page that is over."""
    settings.STRIPE_BASE_URL = ""
    row = a_payment(
        alice, State.OPEN, url=STRIPES, expires_at=timezone.now() - timedelta(seconds=1)
    )
    assert links.to_pay(row) == ""


def test_a_link_that_is_not_stripes_is_none(alice: Person, settings: Any) -> None:
    settings.STRIPE_BASE_URL = ""
    assert links.to_pay(a_payment(alice, State.OPEN, url="https://evil.example/")) == ""
