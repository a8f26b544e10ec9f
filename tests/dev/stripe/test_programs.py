"""What programs do without a page: charges off session, saved cards, prices."""

from __future__ import annotations

from typing import Any

import pytest
import stripe

from tests.support.stripe_works import StripeEmulator, until

Sdk = stripe.StripeClient


@pytest.fixture
def sdk(seller: StripeEmulator) -> Sdk:
    return seller.sdk


def charge(sdk: Sdk, method: str, **more: Any) -> Any:
    """What an automatic purchase asks for."""
    params: Any = {
        "amount": 2500,
        "currency": "usd",
        "confirm": True,
        "payment_method": method,
        "metadata": {"payment": "p1"},
        **more,
    }
    return sdk.v1.payment_intents.create(params)


def test_an_intent_pays_at_once(seller: StripeEmulator, sdk: Sdk) -> None:
    intent = charge(sdk, "pm_card_visa", off_session=True, error_on_requires_action=True)
    assert (intent.status, intent.amount_received) == ("succeeded", 2500)
    assert seller.payment("p1")["taken"] == 2500
    assert [each.id for each in sdk.v1.payment_intents.list().data] == [intent.id]
    assert [each.payment_intent for each in sdk.v1.charges.list().data] == [intent.id]


@pytest.mark.parametrize(
    ("method", "code", "decline_code"),
    [
        ("pm_card_chargeDeclined", "card_declined", "generic_decline"),
        ("pm_card_chargeCustomerFail", "card_declined", "generic_decline"),
        ("pm_card_visa_chargeDeclinedInsufficientFunds", "card_declined", "insufficient_funds"),
        ("pm_card_authenticationRequired", "authentication_required", "authentication_required"),
    ],
)
def test_a_refused_charge_is_a_402(
    seller: StripeEmulator, sdk: Sdk, method: str, code: str, decline_code: str
) -> None:
    with pytest.raises(stripe.CardError) as refused:
        charge(sdk, method, off_session=True)
    error = refused.value
    assert (error.http_status, error.code) == (402, code)
    assert error.error
    assert error.error.decline_code == decline_code
    (intent,) = sdk.v1.payment_intents.list().data
    assert (intent.status, intent.latest_charge) == ("requires_payment_method", error.error.charge)
    assert seller.payment("p1")["taken"] == 0


def test_a_402_is_kept_for_its_key(sdk: Sdk) -> None:
    for _ in range(2):
        with pytest.raises(stripe.CardError):
            sdk.v1.payment_intents.create(
                {
                    "amount": 2500,
                    "currency": "usd",
                    "confirm": True,
                    "payment_method": "pm_card_chargeDeclined",
                },
                {"idempotency_key": "auto-1"},
            )
    assert len(sdk.v1.payment_intents.list().data) == 1


def test_the_customer_is_wanted(seller: StripeEmulator, sdk: Sdk) -> None:
    customer = sdk.v1.customers.create({"email": "buyer+auth-required@example.com"})
    with pytest.raises(stripe.CardError) as refused:
        charge(sdk, "pm_card_visa", customer=customer.id, off_session=True)
    assert refused.value.code == "authentication_required"
    assert charge(sdk, "pm_card_visa", customer=customer.id).status == "succeeded"


def test_3d_secure_of_an_intent(seller: StripeEmulator, sdk: Sdk) -> None:
    intent = charge(sdk, "pm_card_authenticationRequired")
    assert intent.status == "requires_action"
    page = intent.next_action.redirect_to_url.url
    assert "You said yes." in seller.http.post(page, data={"action": "complete"}).text
    assert sdk.v1.payment_intents.retrieve(intent.id).status == "succeeded"


def test_reserved_and_taken_in_part(seller: StripeEmulator, sdk: Sdk) -> None:
    intent = charge(sdk, "pm_card_visa", capture_method="manual")
    assert (intent.status, intent.amount_capturable) == ("requires_capture", 2500)
    assert seller.payment("p1")["taken"] == 0
    with pytest.raises(stripe.InvalidRequestError):
        sdk.v1.payment_intents.capture(intent.id, {"amount_to_capture": 2501})
    taken = sdk.v1.payment_intents.capture(intent.id, {"amount_to_capture": 1000})
    assert (taken.status, taken.amount_received) == ("succeeded", 1000)
    assert seller.payment("p1")["taken"] == 1000


def test_an_intent_ends_once(seller: StripeEmulator, sdk: Sdk) -> None:
    intents = sdk.v1.payment_intents
    intent = intents.create({"amount": 500, "currency": "usd", "payment_method": "pm_card_visa"})
    assert intent.status == "requires_confirmation"
    intents.update(intent.id, {"metadata": {"a": "b"}})
    done = intents.cancel(intent.id, {"cancellation_reason": "abandoned"})
    assert (done.status, done.cancellation_reason) == ("canceled", "abandoned")
    for again in (lambda: intents.cancel(intent.id), lambda: intents.confirm(intent.id)):
        with pytest.raises(stripe.InvalidRequestError) as refused:
            again()
        assert refused.value.code == "payment_intent_unexpected_state"
    with pytest.raises(stripe.InvalidRequestError):
        intents.create({"amount": 49, "currency": "usd"})
    with pytest.raises(stripe.InvalidRequestError):
        charge(sdk, "pm_none")


def test_the_intent_of_a_session_belongs_to_the_page(seller: StripeEmulator, sdk: Sdk) -> None:
    session = seller.order("p1")
    seller.pay(session, "4000000000000002")
    intent = seller.fetch(session).payment_intent.id
    for forbidden in (sdk.v1.payment_intents.cancel, sdk.v1.payment_intents.confirm):
        with pytest.raises(stripe.InvalidRequestError):
            forbidden(intent)
    assert seller.fetch(session).status == "open"


def test_a_card_is_kept_for_later(seller: StripeEmulator, sdk: Sdk) -> None:
    session = seller.order("p1", payment_intent_data={"setup_future_usage": "off_session"})
    seller.pay(session)
    (method,) = sdk.v1.payment_methods.list({"customer": session.customer}).data
    assert method.card
    assert method.card.last4 == "4242"
    later = charge(sdk, method.id, customer=session.customer, off_session=True)
    assert later.status == "succeeded"
    assert sdk.v1.payment_methods.detach(method.id).customer is None
    with pytest.raises(stripe.InvalidRequestError):
        sdk.v1.payment_methods.detach(method.id)


def test_a_saved_card_that_fails_later(sdk: Sdk) -> None:
    customer = sdk.v1.customers.create()
    method = sdk.v1.payment_methods.create(
        {"type": "card", "card": {"number": "4000000000000341", "exp_month": 12, "exp_year": 2034}}
    )
    sdk.v1.payment_methods.attach(method.id, {"customer": customer.id})
    with pytest.raises(stripe.CardError):
        charge(sdk, method.id, customer=customer.id, off_session=True)


def test_setup_intents(seller: StripeEmulator, sdk: Sdk) -> None:
    customer = sdk.v1.customers.create()
    setups = sdk.v1.setup_intents
    made = setups.create({"customer": customer.id, "payment_method": "pm_card_visa"})
    assert made.status == "requires_confirmation"
    assert setups.confirm(made.id).status == "succeeded"
    assert len(sdk.v1.payment_methods.list({"customer": customer.id, "type": "card"}).data) == 1
    asked = setups.create({"confirm": True, "payment_method": "pm_card_authenticationRequired"})
    assert asked.next_action
    assert asked.next_action.redirect_to_url
    bank = str(asked.next_action.redirect_to_url.url)
    assert "keep this card?" in seller.http.get(bank).text
    seller.http.post(bank, data={"action": "fail"})
    failed = setups.retrieve(asked.id)
    assert failed.last_setup_error
    assert failed.last_setup_error.code == "payment_intent_authentication_failure"
    assert setups.cancel(asked.id).status == "canceled"
    with pytest.raises(stripe.CardError):
        setups.create({"confirm": True, "payment_method": "pm_card_chargeDeclined"})
    assert len(setups.list({"customer": customer.id}).data) == 1


def test_a_session_that_only_saves(seller: StripeEmulator, sdk: Sdk) -> None:
    customer = sdk.v1.customers.create({"email": "buyer@example.com"})
    session = sdk.v1.checkout.sessions.create(
        {"mode": "setup", "customer": customer.id, "currency": "usd", "success_url": "http://x/"}
    )
    seller.pay(session)
    found = sdk.v1.checkout.sessions.retrieve(session.id, {"expand": ["setup_intent"]})
    assert (found.status, found.payment_status) == ("complete", "no_payment_required")
    assert len(sdk.v1.payment_methods.list({"customer": customer.id}).data) == 1


def test_a_bank_debit_without_a_page(seller: StripeEmulator, sdk: Sdk) -> None:
    method = sdk.v1.payment_methods.create(
        {
            "type": "sepa_debit",
            "sepa_debit": {"iban": "DE89370400440532013000"},
            "billing_details": {"email": "buyer@example.com", "name": "B"},
        }
    )
    intent = charge(sdk, method.id)
    assert intent.status == "processing"
    until(lambda: sdk.v1.payment_intents.retrieve(intent.id).status == "succeeded")


@pytest.mark.parametrize(
    ("params", "error"),
    [
        ({"type": "card", "card": {"number": "4242424242424241"}}, stripe.CardError),
        ({"type": "card", "card": {"token": "tok_none"}}, stripe.InvalidRequestError),
        ({"type": "sepa_debit", "sepa_debit": {"iban": "DE00"}}, stripe.CardError),
        ({}, stripe.InvalidRequestError),
    ],
)
def test_a_wrong_method_is_refused(sdk: Sdk, params: Any, error: type[Exception]) -> None:
    with pytest.raises(error):
        sdk.v1.payment_methods.create(params)
    assert sdk.v1.payment_methods.list().data == []


def test_customers_change_and_go(sdk: Sdk) -> None:
    customers = sdk.v1.customers
    made = customers.create({"email": "a@example.com", "metadata": {"a": "1", "b": "2"}})
    changed = customers.update(made.id, {"metadata": {"a": "", "c": "3"}, "name": "A"})
    assert changed.metadata
    assert (changed.name, changed.metadata.to_dict()) == ("A", {"b": "2", "c": "3"})
    assert customers.update(made.id, {"metadata": ""}).to_dict()["metadata"] == {}
    assert [each.id for each in customers.list({"email": "a@example.com"}).data] == [made.id]
    assert customers.list({"email": "b@example.com"}).data == []
    assert customers.delete(made.id).deleted
    with pytest.raises(stripe.InvalidRequestError) as gone:
        customers.retrieve(made.id)
    assert (gone.value.http_status, gone.value.code) == (404, "resource_missing")


def test_products_and_prices(seller: StripeEmulator, sdk: Sdk) -> None:
    product = sdk.v1.products.create({"name": "credits", "id": "prod_credits"})
    with pytest.raises(stripe.InvalidRequestError):
        sdk.v1.products.create({"name": "credits", "id": "prod_credits"})
    price = sdk.v1.prices.create(
        {"product": product.id, "unit_amount": 1500, "currency": "USD", "lookup_key": "small"}
    )
    assert price.currency == "usd"
    assert [each.id for each in sdk.v1.prices.list({"lookup_keys": ["small"]}).data] == [price.id]
    assert sdk.v1.prices.list({"product": "prod_none"}).data == []
    assert sdk.v1.prices.update(price.id, {"active": False}).active is False
    assert sdk.v1.products.update(product.id, {"name": "more"}).name == "more"
    assert [each.id for each in sdk.v1.products.list({"ids": [product.id]}).data] == [product.id]
    session = seller.order("p1", line_items=[{"price": price.id, "quantity": 2}])
    assert session.amount_total == 3000
    for wrong in ({"currency": "usd", "unit_amount": 1}, {"product": "prod_none"}):
        with pytest.raises(stripe.InvalidRequestError):
            sdk.v1.prices.create(wrong)  # type: ignore[arg-type]


def test_coupons_and_codes(sdk: Sdk) -> None:
    coupon = sdk.v1.coupons.create({"percent_off": 12.5, "id": "spring"})
    code = sdk.v1.promotion_codes.create(
        {"promotion": {"type": "coupon", "coupon": coupon.id}, "code": "SPRING"}
    )
    (listed,) = sdk.v1.promotion_codes.list({"code": "SPRING", "coupon": "spring"}).data
    assert listed.id == code.id
    opened = sdk.v1.promotion_codes.retrieve(code.id, {"expand": ["promotion.coupon"]})
    assert isinstance(opened.promotion.coupon, stripe.Coupon)
    assert opened.promotion.coupon.percent_off == 12.5
    assert sdk.v1.coupons.update(coupon.id, {"name": "x"}).name == "x"
    assert len(sdk.v1.coupons.list().data) == 1
    wrong: list[Any] = [{}, {"percent_off": 0}, {"percent_off": 101}, {"amount_off": 5}]
    for each in wrong:
        with pytest.raises(stripe.InvalidRequestError):
            sdk.v1.coupons.create(each)
    for each in ({"promotion": {"type": "coupon"}}, {"code": "spring"}):
        with pytest.raises(stripe.InvalidRequestError):
            sdk.v1.promotion_codes.create(each)  # type: ignore[arg-type]


def test_notes_can_be_changed(seller: StripeEmulator, sdk: Sdk) -> None:
    session = seller.order("p1")
    seller.pay(session, "4000000000000259")
    found = seller.fetch(session)
    charge_id = found.payment_intent.latest_charge.id
    notes: Any = {"metadata": {"note": "1"}}
    (dispute,) = sdk.v1.disputes.list({"charge": charge_id}).data
    changed: list[Any] = [
        sdk.v1.checkout.sessions.update(session.id, notes),
        sdk.v1.charges.update(charge_id, notes),
        sdk.v1.disputes.update(dispute.id, notes),
    ]
    other = seller.order("p2")
    seller.pay(other)
    refund = sdk.v1.refunds.create({"payment_intent": seller.fetch(other).payment_intent.id})
    changed.append(sdk.v1.refunds.update(refund.id, notes))
    assert [each.metadata["note"] for each in changed] == ["1"] * 4
