"""Billing: the packs, buying one by a form, every reason why not, and the list of payments."""

from __future__ import annotations

import re
from collections import Counter
from datetime import timedelta
from html import unescape
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client
from django.utils import timezone

from accounts.models import Account, Membership, User
from payments.models import CreditPack, Payment
from payments.models.states import State
from tests.payments.conftest import verified
from tests.support.console import browser
from tests.support.people import Person, make_person
from tests.support.purchases import a_payment, a_reversal
from tests.support.racing import race
from tests.support.stripe_works import StripeEmulator

BUTTON = re.compile(r'name="order" value="([\w-]+)">\s*<button[^>]*value="(\w+)">([^<]*)</button>')


@pytest.fixture
def alice() -> Person:
    return verified(make_person("alice"))


@pytest.fixture
def bob() -> Person:
    return verified(make_person("bob"))


@pytest.fixture
def hers(alice: Person) -> Client:
    return browser(alice.user)


def billing(person: Person) -> str:
    return f"/c/{person.account.pk}/billing/"


def text(answer: Any, status: int = 200) -> str:
    """The page's words, with single spaces."""
    assert answer.status_code == status, answer.content
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", answer.content.decode())).split())


def offers(client: Client, person: Person) -> dict[str, tuple[str, str]]:
    """The buttons of the page: pack -> its form's name, its label."""
    page = client.get(billing(person)).content.decode()
    return {pack: (name, unescape(label)) for name, pack, label in BUTTON.findall(page)}


def press(client: Client, person: Person, name: str, pack: str = "credits_500") -> Any:
    return client.post(f"{billing(person)}buy/", {"order": name, "pack": pack})


def refused(answer: Any, status: int, words: str) -> None:
    """It says why, and nothing was made."""
    assert words in text(answer, status)
    assert not Payment.objects.exclude(pack="credits_2500").exists()  # the others are the test's


def test_the_buttons_say_what_each_pack_costs(
    hers: Client, alice: Person, stripe: StripeEmulator
) -> None:
    CreditPack.objects.filter(name="credits_500").update(currency="eur")
    CreditPack.objects.filter(name="credits_50000").update(enabled=False)
    assert [label for _, label in offers(hers, alice).values()] == [
        "Buy 500 credits for €5.00",
        "Buy 2,500 credits for $25.00",
        "Buy 10,000 credits for $95.00",
    ]
    page = text(hers.get(billing(alice)))
    assert "1,000 credits" in page
    assert "This account pays alice" in page
    assert "alice pays" in page
    assert "Test mode, no real money" in page
    assert "Nothing was bought yet." in page
    for answered in ("Do credits expire? No.", "a generation that fails? Never."):
        assert answered in page


def test_a_press_orders_and_leads_to_stripe(
    hers: Client, alice: Person, stripe: StripeEmulator
) -> None:
    name, _ = offers(hers, alice)["credits_2500"]
    answer = press(hers, alice, name, "credits_2500")
    row = Payment.objects.get()
    assert (answer.status_code, answer["Location"]) == (
        303,
        f"{billing(alice)}payments/{row.pk}/pay/",
    )
    assert (row.account, row.created_by, row.state) == (alice.account, alice.user, State.OPEN)
    assert (row.credits, row.amount_minor, row.idempotency_key) == (2500, 2500, f"console-{name}")
    assert alice.balance == 1000
    way = hers.get(answer["Location"])
    assert way["Refresh"] == f"0; url={row.url}"
    assert f'href="{row.url}"' in way.content.decode()
    assert "form-action 'self'" in way["Content-Security-Policy"]


def test_a_double_click_a_reload_and_the_way_back_buy_once(
    alice: Person, stripe: StripeEmulator
) -> None:
    name, _ = offers(browser(alice.user), alice)["credits_500"]
    answers = race([lambda: press(browser(alice.user), alice, name)] * 4, at_once=4)
    places = {each["Location"] for each in answers if isinstance(each, HttpResponse)}
    row = Payment.objects.get()
    assert places == {f"{billing(alice)}payments/{row.pk}/pay/"}
    assert press(browser(alice.user), alice, name)["Location"] in places
    assert stripe.stats()["checkout_sessions"]["made"] == 1
    # the pack beside it is another order
    other, _ = offers(browser(alice.user), alice)["credits_2500"]
    assert press(browser(alice.user), alice, other, "credits_2500")["Location"] not in places


def test_a_forms_name_is_for_one_pack(hers: Client, alice: Person, stripe: StripeEmulator) -> None:
    name, _ = offers(hers, alice)["credits_500"]
    press(hers, alice, name)
    answer = press(hers, alice, name, "credits_2500")
    assert "was used for another order already" in text(answer, 409)
    assert Payment.objects.count() == 1


def test_without_a_name_it_is_an_order_of_its_own(
    hers: Client, alice: Person, stripe: StripeEmulator
) -> None:
    for _ in range(2):
        assert press(hers, alice, "").status_code == 303
    assert set(Payment.objects.values_list("idempotency_key", flat=True)) == {None}


@pytest.mark.parametrize("name", ["short", "a" * 65, "a" * 20 + "\0", "ä" * 20, "a" * 20 + " b"])
def test_no_name_of_ours(name: str, hers: Client, alice: Person, stripe: StripeEmulator) -> None:
    refused(press(hers, alice, name), 400, "Choose another one.")


@pytest.mark.parametrize("pack", ["", "no_such", "credits_500\0", "x" * 100_000, "CREDITS_500"])
def test_no_pack(pack: str, hers: Client, alice: Person, stripe: StripeEmulator) -> None:
    refused(press(hers, alice, "", pack), 400, "This pack is not on sale any more.")


def test_a_pack_that_went_off_sale(hers: Client, alice: Person, stripe: StripeEmulator) -> None:
    """What was ordered before is still found by its form's name."""
    name, _ = offers(hers, alice)["credits_500"]
    place = press(hers, alice, name)["Location"]
    CreditPack.objects.update(enabled=False)
    assert press(hers, alice, name)["Location"] == place
    assert "No pack is on sale at the moment." in text(hers.get(billing(alice)))


def test_off(hers: Client, alice: Person, settings: Any) -> None:
    settings.STRIPE_SECRET_KEY = ""
    a_payment(alice)
    page = text(hers.get(billing(alice)))
    assert "Credits cannot be bought at the moment." in page
    assert "Paid" in page
    assert "Test mode" not in page
    assert offers(hers, alice) == {}
    answer = press(hers, alice, "")
    refused(answer, 503, "Credits cannot be bought at the moment.")
    assert answer["Retry-After"] == "60"


def test_unverified(hers: Client, alice: Person, stripe: StripeEmulator) -> None:
    User.objects.update(email_verified_at=None)
    answer = hers.get(billing(alice))
    assert answer.content.decode().count('href="/verify/"') == 1
    assert offers(hers, alice) == {}
    refused(press(hers, alice, ""), 403, "has to verify an e-mail address")


def test_a_member_of_an_account_that_nobody_verified(
    alice: Person, bob: Person, stripe: StripeEmulator
) -> None:
    User.objects.filter(pk=alice.user.pk).update(email_verified_at=None)
    Membership.objects.create(user=bob.user, account=alice.account, role=Membership.Role.MEMBER)
    page = text(browser(bob.user).get(billing(alice)))
    assert "No owner of this account has verified an e-mail address." in page


def test_held(hers: Client, alice: Person, stripe: StripeEmulator) -> None:
    Account.objects.update(payment_hold_at=timezone.now(), payment_hold_reason="secret reason")
    page = text(hers.get(billing(alice)))
    assert "Buying is on hold" in page
    assert "secret reason" not in page
    assert offers(hers, alice) == {}
    refused(press(hers, alice, ""), 403, "Write to us to go on.")


def test_suspended(hers: Client, alice: Person, stripe: StripeEmulator) -> None:
    name, _ = offers(hers, alice)["credits_500"]
    row = a_payment(alice, State.OPEN, url=f"{stripe.url}/c/pay/x")
    assert "Continue to payment" in text(hers.get(billing(alice)))
    Account.objects.update(suspended_at=timezone.now())
    page = text(hers.get(billing(alice)))
    assert "A suspended account can buy nothing." in page
    assert "Continue to payment" not in page
    assert offers(hers, alice) == {}
    refused(press(hers, alice, name), 403, "suspended")
    pay = hers.get(f"{billing(alice)}payments/{row.pk}/pay/")
    assert (pay.status_code, "Refresh" in pay) == (303, False)
    assert "cannot be continued" in text(hers.get(pay["Location"]))


def test_three_open(hers: Client, alice: Person, stripe: StripeEmulator) -> None:
    for _ in range(3):
        a_payment(alice, State.OPEN)
    answer = press(hers, alice, "")
    refused(answer, 429, "3 payments are waiting for you")
    assert 39 * 60 < int(answer["Retry-After"]) <= 40 * 60
    assert "Possible again from: " in text(answer, 429)


def test_three_open_however_many_press_at_once(alice: Person, stripe: StripeEmulator) -> None:
    answers = race([lambda: press(browser(alice.user), alice, "")] * 8, at_once=8)
    found = Counter(each.status_code for each in answers if isinstance(each, HttpResponse))
    assert found == {303: 3, 429: 5}


def test_the_limit_of_a_day(hers: Client, alice: Person, stripe: StripeEmulator) -> None:
    """A pack above it has no button; one that only adds up to it is refused in words."""
    assert list(offers(hers, alice)) == ["credits_500", "credits_2500", "credits_10000"]
    assert "it may buy for $200.00 in 24 hours" in text(hers.get(billing(alice)))
    a_payment(alice, amount_minor=15_000)
    answer = press(hers, alice, "", "credits_10000")
    refused(answer, 429, "more than it may in 24 hours")
    assert int(answer["Retry-After"]) > 23 * 3600


def test_too_many_an_hour(
    hers: Client, alice: Person, stripe: StripeEmulator, settings: Any
) -> None:
    settings.RATE_LIMIT_CHECKOUTS = 1
    a_payment(alice, State.EXPIRED)
    refused(press(hers, alice, ""), 429, "Too many payments were begun")


def test_the_address_is_counted_with_the_api(
    hers: Client, alice: Person, bob: Person, stripe: StripeEmulator, settings: Any
) -> None:
    settings.RATE_LIMIT_CHECKOUTS_ADDRESS = 1
    assert press(hers, alice, "").status_code == 303
    answer = press(browser(bob.user), bob, "")
    assert answer.status_code == 429
    assert not Payment.objects.filter(account=bob.account).exists()


def test_stripe_that_does_not_answer(
    hers: Client, alice: Person, stripe: StripeEmulator, settings: Any, free_port: int
) -> None:
    settings.STRIPE_BASE_URL = f"http://127.0.0.1:{free_port}"
    answer = press(hers, alice, "")
    row = Payment.objects.get()
    assert (answer.status_code, row.state) == (303, State.CREATED)
    way = hers.get(answer["Location"])
    assert way["Refresh"] == f"1; url={answer['Location']}?tries=1"
    assert "Stripe is preparing the payment." in text(way)


def test_the_payments_newest_first_in_pages(hers: Client, alice: Person, bob: Person) -> None:
    now = timezone.now()
    rows = [a_payment(alice, created_at=now - timedelta(minutes=each)) for each in range(25)]
    a_payment(bob)
    seen, path = [], billing(alice)
    for count in (20, 5):
        page = hers.get(path).content.decode()
        found = re.findall(r'<a href="/c/[^"]*/payments/([\w-]+)/">\s*<time', page)
        assert len(found) == count
        seen += found
        later = re.search(r'href="([^"]*)" rel="next"', page)
        path = unescape(later.group(1)) if later else ""
    assert seen == [str(row.pk) for row in rows]
    assert path == ""


def test_a_cursor_that_is_none(hers: Client, alice: Person) -> None:
    assert hers.get(f"{billing(alice)}?cursor=x").status_code == 400


def test_each_state_in_words(hers: Client, alice: Person, stripe: StripeEmulator) -> None:
    words = {
        State.CREATED: "Being prepared",
        State.OPEN: "Continue to payment",
        State.PROCESSING: "At your bank",
        State.PAID: "2,500 taken back",
        State.EXPIRED: "Expired",
        State.FAILED: "Failed",
        State.MISMATCH: "We are looking at it",
    }
    for state in State:
        row = a_payment(alice, state)
        if state == State.PAID:
            a_reversal(row, 2500, 2500)
    page = text(hers.get(billing(alice)))
    for each in words.values():
        assert each in page
    assert "Receipt" in page


def test_it_takes_few_statements(
    hers: Client, alice: Person, django_assert_max_num_queries: Any, stripe: StripeEmulator
) -> None:
    for _ in range(21):
        a_payment(alice)
    hers.get(billing(alice))
    with django_assert_max_num_queries(12):
        assert hers.get(billing(alice)).status_code == 200


def test_bob_sees_nothing_of_it(alice: Person, bob: Person, stripe: StripeEmulator) -> None:
    his = browser(bob.user)
    assert his.get(billing(alice)).status_code == 404
    assert press(his, alice, "").status_code == 404
    assert not Payment.objects.exists()
    stranger = Client()
    answer = stranger.post(f"{billing(alice)}buy/", {"pack": "credits_500"})
    assert (answer.status_code, answer["Location"][:9]) == (303, "/log-in/?")
    assert stranger.get(billing(alice)).status_code == 303


def test_a_form_from_elsewhere_buys_nothing(alice: Person, stripe: StripeEmulator) -> None:
    strict = browser(alice.user, enforce_csrf_checks=True)
    assert press(strict, alice, "").status_code == 403
    assert not Payment.objects.exists()


@pytest.mark.parametrize("method", ["put", "delete", "patch"])
def test_other_methods(method: str, hers: Client, alice: Person) -> None:
    assert getattr(hers, method)(billing(alice)).status_code == 405
    assert getattr(hers, method)(f"{billing(alice)}buy/").status_code == 405
    assert hers.get(f"{billing(alice)}buy/")["Location"] == billing(alice)


def test_the_next_page_is_billings_wherever_one_is(hers: Client, alice: Person, settings) -> None:
    """Not at the API's name, where nobody is logged in; and not at the address of an order."""
    settings.PUBLIC_BASE_URL = "https://api.example.com"
    for _ in range(2):
        a_payment(alice, state=State.EXPIRED)
    pages = (
        hers.get(f"{billing(alice)}?limit=1"),
        hers.post(f"{billing(alice)}buy/?limit=1", {"pack": "none", "order": "A" * 20}),
    )
    for page in pages:
        assert page.context["earlier"].startswith(f"{billing(alice)}?limit=1&cursor=")
        assert page.context["later"] is None
