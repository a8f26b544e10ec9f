"""Promotions and tax change what is paid, and never what is credited."""

from __future__ import annotations

import pytest
from django.conf import settings

from payments.models.states import State
from tests.support.paying import Till
from tests.support.people import Person


def purchases(person: Person) -> list[int]:
    return [each.amount for each in person.entries if each.kind == "purchase"]


def test_tax_and_a_discount_change_no_credits(
    till: Till, alice: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settings, "STRIPE_TAX", True)
    monkeypatch.setattr(settings, "STRIPE_PROMOTIONS", True)
    _promotion(till, "TWENTY", 20)
    payment = till.order(alice, "credits_2500")
    till.press(payment, "apply", code="TWENTY")
    till.pay(payment)
    assert till.settled(payment).state == State.PAID, payment.last_error
    assert payment.discount_minor == 500
    assert payment.tax_minor == 380
    assert payment.paid_minor == 2380
    assert purchases(alice) == [2500]


@pytest.mark.parametrize("on", [True, False])
def test_what_costs_nothing_credits_by_a_promotion_alone(
    till: Till, alice: Person, monkeypatch: pytest.MonkeyPatch, on: bool
) -> None:
    monkeypatch.setattr(settings, "STRIPE_PROMOTIONS", True)
    _promotion(till, "ALL", 100)
    payment = till.order(alice)
    till.press(payment, "apply", code="ALL")
    till.press(payment)
    monkeypatch.setattr(settings, "STRIPE_PROMOTIONS", on)
    assert till.settled(payment).state == (State.PAID if on else State.MISMATCH)
    assert purchases(alice) == ([500] if on else [])
    assert payment.paid_minor == (0 if on else None)


def _promotion(till: Till, code: str, percent: int) -> None:
    sdk = till.stripe.sdk
    coupon = sdk.v1.coupons.create({"percent_off": percent, "duration": "once"})
    sdk.v1.promotion_codes.create(
        {"promotion": {"type": "coupon", "coupon": coupon.id}, "code": code}
    )
