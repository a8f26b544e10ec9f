"""The hosted page: what a person sees and presses, without JavaScript."""

from __future__ import annotations

import re
import time

import pytest

from tests.support.stripe_works import Shop, StripeEmulator, until


def test_it_says_that_it_is_emulated(seller: StripeEmulator) -> None:
    session = seller.order("p1", "buyer+twice+nonsense+late=1@example.com")
    answer = seller.http.get(session.url)
    assert answer.status_code == 200
    page = answer.text
    for words in (
        "EMULATED, no money is charged",
        "1 × 2,500 credits",
        "25.00 USD",
        'value="buyer+twice+nonsense+late=1@example.com"',
        "Emulated scenario: twice, late=1",
    ):
        assert words in page
    for label in ("E-mail", "Card number", "IBAN"):
        assert re.search(rf'<label for="\w+">{label}</label>', page)
    for radio in ("Card", "SEPA Direct Debit"):
        assert re.search(rf'<label><input type="radio" [^>]*> {radio}</label>', page)
    for button in ("Pay", "Back"):
        assert re.search(rf"<button [^>]*>{button}</button>", page)
    assert "<script" not in page
    assert "Promotion code" not in page
    assert "script-src" not in answer.headers["Content-Security-Policy"]


def test_texts_are_escaped(seller: StripeEmulator) -> None:
    name = '<img src=x onerror=alert(1)>"&'
    price = {"currency": "usd", "unit_amount": 500, "product_data": {"name": name}}
    session = seller.order("p1", line_items=[{"price_data": price, "quantity": 2}])
    page = seller.press(session.url, email='"><script>alert(2)</script>', card="1").text
    assert "<img" not in page
    assert "<script" not in page
    assert "&lt;img src=x" in page
    assert "10.00 USD" in page


def test_back_leads_to_the_shop_and_leaves_it_open(seller: StripeEmulator) -> None:
    session = seller.order("p1")
    answer = seller.press(session.url, "back", email="")
    assert (answer.status_code, answer.headers["Location"]) == (303, "http://127.0.0.1:9/back")
    assert seller.fetch(session).status == "open"


@pytest.mark.parametrize(
    ("card", "sentence", "code"),
    [
        ("4000 0000 0000 0002", "Your card was declined.", "generic_decline"),
        ("4000000000009995", "Your card has insufficient funds.", "insufficient_funds"),
        ("4000-0000-0000-0341", "Your card was declined.", "generic_decline"),
    ],
)
def test_a_refused_card_can_be_followed_by_another(
    seller: StripeEmulator, told: Shop, card: str, sentence: str, code: str
) -> None:
    session = seller.order("p1")
    answer = seller.pay(session, card)
    assert answer.status_code == 200
    assert f'role="alert">{sentence}</p>' in answer.text
    found = seller.fetch(session)
    assert (found.status, found.payment_status) == ("open", "unpaid")
    assert found.payment_intent.last_payment_error.decline_code == code
    assert found.payment_intent.latest_charge.status == "failed"
    assert sentence in seller.http.get(session.url).text
    until(lambda: "payment_intent.payment_failed" in told.kinds("p1"))
    assert "checkout.session.completed" not in told.kinds("p1")
    assert seller.pay(session).status_code == 303
    paid = seller.fetch(session)
    assert (paid.payment_status, paid.payment_intent.id) == ("paid", found.payment_intent.id)
    assert seller.payment("p1")["taken"] == 2500


@pytest.mark.parametrize(
    ("card", "sentence"),
    [
        ("4242 4242 4242 4241", "Your card number is invalid."),
        ("", "Your card number is invalid."),
        ("4242", "Your card number is invalid."),
        ("٤٢٤٢٤٢٤٢٤٢٤٢٤٢٤٢", "Your card number is invalid."),
        ("4012 8888 8888 1881", "used a non test card"),
    ],
)
def test_another_number_is_refused(seller: StripeEmulator, card: str, sentence: str) -> None:
    session = seller.order("p1")
    assert sentence in seller.pay(session, card).text
    assert seller.fetch(session).payment_intent is None


def test_an_address_is_needed(seller: StripeEmulator) -> None:
    session = seller.order("p1")
    assert "Your email is incomplete." in seller.pay(session, email="").text
    assert seller.fetch(session).status == "open"


def test_3d_secure_is_a_page_of_its_own(seller: StripeEmulator) -> None:
    session = seller.order("p1")
    asked = seller.pay(session, "4000 0025 0000 3155")
    assert asked.status_code == 303
    bank = asked.headers["Location"]
    assert "pay 25.00 USD?" in seller.http.get(bank).text
    assert seller.fetch(session).payment_intent.status == "requires_action"
    refused = seller.http.post(bank, data={"action": "fail"})
    assert refused.headers["Location"] == f"/c/pay/{session.id}"
    assert "unable to authenticate" in seller.http.get(session.url).text
    assert seller.payment("p1")["taken"] == 0
    again = seller.pay(session, "4000 0025 0000 3155").headers["Location"]
    done = seller.http.post(again, data={"action": "complete"})
    assert done.headers["Location"] == "http://127.0.0.1:9/paid"
    assert seller.fetch(session).payment_status == "paid"
    assert seller.http.post(again, data={"action": "complete"}).status_code == 410
    assert seller.payment("p1")["taken"] == 2500


def test_pressing_twice_pays_once(seller: StripeEmulator) -> None:
    session = seller.order("p1")
    seller.pay(session)
    again = seller.pay(session)
    assert "has been paid already" in again.text
    assert seller.payment("p1")["taken"] == 2500


def test_it_waits_for_the_shops_answer(seller: StripeEmulator, told: Shop) -> None:
    told.seconds = 0.5
    session = seller.order("p1")
    begun = time.monotonic()
    seller.pay(session)
    assert time.monotonic() - begun >= 0.5
    assert "checkout.session.completed" in told.kinds("p1")


def test_the_session_can_be_named_in_the_shops_address(seller: StripeEmulator) -> None:
    session = seller.order("p1", success_url="http://127.0.0.1:9/?id={CHECKOUT_SESSION_ID}")
    assert seller.pay(session).headers["Location"] == f"http://127.0.0.1:9/?id={session.id}"


def test_an_expired_page_cannot_be_paid(seller: StripeEmulator, told: Shop) -> None:
    session = seller.order("p1")
    assert seller.sdk.v1.checkout.sessions.expire(session.id).status == "expired"
    answer = seller.press(session.url, card="4242424242424242", email="a@example.com")
    assert (answer.status_code, "timed out" in answer.text) == (410, True)
    assert seller.payment("p1")["taken"] == 0
    until(lambda: told.kinds("p1") == ["checkout.session.expired"])


def test_a_session_ends_by_itself(seller: StripeEmulator, told: Shop) -> None:
    """30 minutes, a hundred times as fast; the grace of a minute makes a second possible."""
    session = seller.order("p1", expires_at=int(time.time()) + 1)
    until(lambda: seller.fetch(session).status == "expired")
    assert seller.fetch(session).url is None
    until(lambda: told.kinds("p1") == ["checkout.session.expired"])


def test_nobody_finds_what_is_not_there(seller: StripeEmulator) -> None:
    for path in ("/c/pay/cs_test_none", "/c/3ds/pi_none", "/i/in_none", "/receipts/ch_none"):
        assert seller.http.get(path).status_code == 404
