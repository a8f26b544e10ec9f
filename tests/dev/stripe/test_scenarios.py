"""What is played with orders and payments; with deliveries: test_webhooks.py."""

from __future__ import annotations

import time
from typing import Any

import httpx
import pytest
import stripe

from dev.stripe.scenarios import SCENARIOS, of_email
from tests.support.stripe_works import ROOT, SECRET_KEY, Shop, StripeEmulator, until


def test_every_scenario_is_in_the_readme() -> None:
    page = (ROOT / "dev/stripe/README.md").read_text()
    assert [name for name in SCENARIOS if f"`{name}" not in page] == []


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("buyer@example.com", {}),
        ("buyer+twice+refund@example.com", {"twice": "", "refund": ""}),
        ("buyer+Partial-Refund=900@example.com", {"partial-refund": "900"}),
        ("buyer+late=1.5@example.com", {"late": "1.5"}),
        ("buyer+late@example.com", {}),
        ("buyer+twice=2@example.com", {}),
        ("buyer+news+late=soon@example.com", {}),
        ("+429=3@x", {"429": "3"}),
        ("", {}),
        (None, {}),
    ],
)
def test_tags_of_an_address(address: str | None, words: dict[str, str]) -> None:
    assert of_email(address).words == words


@pytest.mark.parametrize("written", ["", "nonsense", "late", "twice=1", "twice+nonsense"])
def test_control_lists_what_exists(seller: StripeEmulator, written: str) -> None:
    answer = seller.control(written)
    assert answer.status_code == 400
    message = answer.json()["error"]["message"]
    assert all(name in message for name in SCENARIOS)
    assert seller.http.post("/emulator/control", content=b"x").status_code == 400
    assert seller.control("twice", "nobody").status_code == 404


def test_control_plays_once(seller: StripeEmulator) -> None:
    assert seller.control("wrong-amount").json() == {"next": ["wrong-amount"]}
    assert seller.order("p1").amount_subtotal == 2600
    assert seller.order("p2").amount_subtotal == 2500


@pytest.mark.parametrize(
    ("scenario", "amount", "currency"),
    [("wrong-amount", 2600, "usd"), ("wrong-currency", 2500, "cad")],
)
def test_stripe_holds_something_else(
    seller: StripeEmulator, scenario: str, amount: int, currency: str
) -> None:
    session = seller.order("p1", f"buyer+{scenario}@example.com")
    seller.pay(session)
    found = seller.fetch(session)
    assert (found.amount_subtotal, found.currency) == (amount, currency)
    assert found.payment_intent.amount_received == amount


def test_what_stripe_holds_can_be_changed_later(seller: StripeEmulator) -> None:
    session = seller.order("p1")
    seller.pay(session)
    seller.control("wrong-amount+wrong-currency", "p1")
    found = seller.fetch(session)
    assert (found.amount_subtotal, found.currency) == (2600, "cad")


def test_429(seller: StripeEmulator) -> None:
    for status in (429, 429, 200):
        params = {"email": "buyer+429=2@example.com", "idempotency_key": "k1"}
        assert ordered(seller, **params).status_code == status
    assert seller.stats()["checkout_sessions"]["made"] == 1


def ordered(seller: StripeEmulator, email: str, idempotency_key: str) -> httpx.Response:
    data = {
        "mode": "payment",
        "customer_email": email,
        "client_reference_id": "p1",
        "success_url": "http://127.0.0.1:9/",
        "line_items[0][price_data][currency]": "usd",
        "line_items[0][price_data][unit_amount]": "2500",
        "line_items[0][price_data][product_data][name]": "credits",
        "line_items[0][quantity]": "1",
    }
    headers = {"Authorization": f"Bearer {SECRET_KEY}", "Idempotency-Key": idempotency_key}
    return seller.http.post("/v1/checkout/sessions", data=data, headers=headers, timeout=2)


@pytest.mark.parametrize(("scenario", "made"), [("hang", 0), ("create-then-no-answer", 1)])
def test_no_answer(seller: StripeEmulator, scenario: str, made: int) -> None:
    email = f"buyer+{scenario}@example.com"
    with pytest.raises(httpx.ReadTimeout):
        ordered(seller, email, "k1")
    assert seller.stats()["checkout_sessions"]["made"] == made
    assert seller.stats()["scenarios"] == [scenario]  # met, also where nothing was made
    again = ordered(seller, email, "k1")
    assert again.status_code == 200
    assert again.headers.get("Idempotent-Replayed") == ("true" if made else None)
    assert seller.stats()["checkout_sessions"]["made"] == 1
    assert seller.http.get(again.json()["url"]).status_code == 200


def test_a_500_is_kept_like_any_answer(seller: StripeEmulator) -> None:
    """As Stripe documents it: the same key gets the same 500, for 24 hours."""
    for _ in range(2):
        answer = ordered(seller, "buyer+create-then-500@example.com", "k1")
        assert (answer.status_code, answer.json()["error"]["type"]) == (500, "api_error")
    assert seller.stats()["checkout_sessions"]["made"] == 1
    assert seller.payment("p1")["objects"][0]["status"] == "open"


def test_paid_after_it_expired(seller: StripeEmulator, told: Shop) -> None:
    session = seller.order("p1", "buyer+pays-after-expiry@example.com")
    seller.sdk.v1.checkout.sessions.expire(session.id)
    assert seller.fetch(session).status == "expired"
    found: Any = until(lambda: (now := seller.fetch(session)).status == "complete" and now)
    assert found.payment_status == "paid"
    until(lambda: "checkout.session.completed" in told.kinds("p1"))
    kinds = told.kinds("p1")
    assert kinds.index("checkout.session.expired") < kinds.index("checkout.session.completed")


@pytest.mark.parametrize(
    ("scenario", "refunded"), [("refund", 2500), ("partial-refund=900", 900), ("refund-fails", 0)]
)
def test_given_back(seller: StripeEmulator, told: Shop, scenario: str, refunded: int) -> None:
    session = seller.order("p1", f"buyer+{scenario}@example.com")
    seller.pay(session)
    last = "refund.failed" if scenario == "refund-fails" else "charge.refunded"
    until(lambda: last in told.kinds())
    charge = seller.fetch(session).payment_intent.latest_charge
    assert (charge.amount_refunded, charge.refunded) == (refunded, refunded == 2500)
    (refund,) = charge.refunds.data
    assert refund.status == ("failed" if scenario == "refund-fails" else "succeeded")
    assert seller.payment("p1")["refunded"] == refunded


def test_a_refund_that_is_asked_for_fails_too(seller: StripeEmulator) -> None:
    session = seller.order("p1")
    seller.pay(session, "4000 0000 0000 5126")
    intent = seller.fetch(session).payment_intent
    refund = seller.sdk.v1.refunds.create({"payment_intent": intent.id, "amount": 100})
    assert refund.status == "succeeded"
    until(lambda: seller.sdk.v1.refunds.retrieve(refund.id).status == "failed")
    assert seller.fetch(session).payment_intent.latest_charge.amount_refunded == 0


@pytest.mark.parametrize(
    ("scenario", "status", "disputed"),
    [("dispute", "needs_response", 2500), ("dispute-won", "won", 0)],
)
def test_disputed(
    seller: StripeEmulator, told: Shop, scenario: str, status: str, disputed: int
) -> None:
    session = seller.order("p1", f"buyer+{scenario}@example.com")
    seller.pay(session)
    intent = seller.fetch(session).payment_intent.id
    until(lambda: "charge.dispute.funds_withdrawn" in told.kinds())

    def found() -> Any:
        return seller.sdk.v1.disputes.list({"payment_intent": intent}).data[0]

    until(lambda: found().status == status)
    assert seller.payment("p1")["disputed"] == disputed
    assert len(found().balance_transactions) == (2 if status == "won" else 1)


def test_an_inquiry_moves_no_money(seller: StripeEmulator) -> None:
    session = seller.order("p1")
    seller.pay(session, "4000 0000 0000 1976")
    intent = seller.fetch(session).payment_intent.id
    (dispute,) = seller.sdk.v1.disputes.list({"payment_intent": intent}).data
    assert (dispute.status, dispute.balance_transactions) == ("warning_needs_response", [])
    assert seller.payment("p1")["disputed"] == 0
    # It can be given back still.
    seller.sdk.v1.refunds.create({"payment_intent": intent})
    answered = seller.sdk.v1.disputes.update(
        dispute.id, {"evidence": {"uncategorized_text": "delivered"}, "submit": True}
    )
    assert answered.status == "warning_under_review"
    assert seller.sdk.v1.disputes.close(dispute.id).status == "warning_closed"
    with pytest.raises(stripe.InvalidRequestError):
        seller.sdk.v1.disputes.close(dispute.id)


@pytest.mark.parametrize(
    ("scenario", "words"),
    [("refund", "refunded"), ("dispute", "disputed"), ("partial-refund=900", "refunded")],
)
def test_a_payment_that_exists_is_taken_back_at_once(
    seller: StripeEmulator, scenario: str, words: str
) -> None:
    seller.pay(seller.order("p1"))
    assert seller.control(scenario, "p1").status_code == 200
    assert seller.payment("p1")[words] == (900 if "900" in scenario else 2500)


def test_declined_whatever_was_typed(seller: StripeEmulator) -> None:
    session = seller.order("p1", "buyer+declined@example.com")
    assert "Your card was declined." in seller.pay(session).text
    # Who types another address plays something else, or nothing more.
    other = seller.order("p2")
    assert "declined" in seller.pay(other, email="x+declined@example.com").text


def test_3ds_whatever_was_typed(seller: StripeEmulator) -> None:
    session = seller.order("p1", "buyer+3ds@example.com")
    assert seller.pay(session).headers["Location"].startswith("/c/3ds/pi_")


@pytest.mark.parametrize(
    ("email", "iban", "fails"),
    [
        ("buyer@example.com", "DE89 3704 0044 0532 0130 00", False),
        ("buyer@example.com", "de62370400440532013001", True),
        ("buyer+sepa-ok@example.com", "", False),
        ("buyer+sepa-fails@example.com", "", True),
    ],
)
def test_sepa(seller: StripeEmulator, told: Shop, email: str, iban: str, fails: bool) -> None:
    session = seller.order("p1", email)
    answer = seller.press(session.url, method="sepa_debit", iban=iban)
    assert answer.headers["Location"] == "http://127.0.0.1:9/paid"
    under_way = seller.fetch(session)
    assert (under_way.status, under_way.payment_status) == ("complete", "unpaid")
    assert under_way.payment_intent.status == "processing"
    assert seller.payment("p1")["taken"] == 0
    ending = "failed" if fails else "succeeded"
    until(lambda: f"checkout.session.async_payment_{ending}" in told.kinds("p1"))
    found = seller.fetch(session)
    assert (found.status, found.payment_status) == ("complete", "unpaid" if fails else "paid")
    assert found.payment_intent.status == ("requires_payment_method" if fails else "succeeded")
    assert seller.payment("p1")["taken"] == (0 if fails else 2500)


def test_a_wrong_iban(seller: StripeEmulator) -> None:
    session = seller.order("p1")
    answer = seller.press(session.url, method="sepa_debit", iban="DE00")
    assert "The IBAN you provided is invalid." in answer.text
    assert seller.fetch(session).payment_intent is None


def test_a_reset_forgets_and_stops(seller: StripeEmulator, told: Shop) -> None:
    seller.press(seller.order("p1").url, method="sepa_debit", iban="DE89370400440532013000")
    seller.http.post("/emulator/reset")
    time.sleep(0.3)  # what was on its way arrives
    told.told.clear()
    time.sleep(1)  # the bank would have answered after 0.6 s
    assert told.told == []
    assert seller.stats()["payments"] == {}
    assert seller.http.get("/emulator/payments/p1").status_code == 404
