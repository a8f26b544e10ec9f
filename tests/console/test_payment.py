"""One payment in a browser: the return from Stripe, the way there, its state and its receipt."""

from __future__ import annotations

import re
import uuid
from datetime import timedelta
from html import unescape
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import ConsoleSession
from payments.models import Payment
from payments.models.states import State
from tests.contract.test_our_faults import database_away
from tests.payments.conftest import verified
from tests.support.console import browser
from tests.support.paying import Till
from tests.support.people import Person, make_person
from tests.support.purchases import a_dispute, a_payment, a_reversal
from tests.support.stripe_works import StripeEmulator

NEUTRAL = "If you paid, the credits are on their way."
STRIPES = "https://checkout.stripe.com/c/pay/cs_test_a1#fidkdWxOYHwnPyd1blpxYHZxWjA0"
HTMX = {"HX-Request": "true"}


@pytest.fixture
def alice() -> Person:
    return verified(make_person("alice"))


@pytest.fixture
def bob() -> Person:
    return verified(make_person("bob"))


@pytest.fixture
def hers(alice: Person) -> Client:
    return browser(alice.user)


def page_of(payment: Payment, rest: str = "") -> str:
    return f"/c/{payment.account_id}/billing/payments/{payment.pk}/{rest}"


def text(answer: Any, status: int = 200) -> str:
    assert answer.status_code == status, answer.content
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", answer.content.decode())).split())


def asks(answer: Any) -> str:
    """Where the page asks for its state; empty when it asks no more."""
    found = re.search(r'hx-get="([^"]+)"', answer.content.decode())
    return unescape(found.group(1)) if found else ""


# --- the return page


def test_a_member_sees_the_payment_and_stripe_is_asked(hers: Client, alice: Person) -> None:
    row = a_payment(alice, State.OPEN)
    page = text(hers.get(page_of(row)))
    assert "2,500 credits" in page
    assert "1,000 credits" in page  # the balance as it is
    assert NEUTRAL not in page
    row.refresh_from_db()
    assert row.next_attempt_at is not None
    assert row.next_attempt_at <= timezone.now()
    later = timezone.now() + timedelta(hours=1)
    Payment.objects.update(next_attempt_at=later)
    hers.get(page_of(row))
    row.refresh_from_db()
    assert row.next_attempt_at == later  # at most once in five seconds


def test_head_asks_nobody(hers: Client, alice: Person) -> None:
    row = a_payment(alice, State.OPEN)
    before = row.next_attempt_at
    answer = hers.head(page_of(row))
    assert (answer.status_code, answer.content) == (200, b"")
    row.refresh_from_db()
    assert row.next_attempt_at == before


def test_a_payer_of_another_account_is_thanked_and_told_nothing(alice: Person, bob: Person) -> None:
    """The same page for every id, so it says no more than to a stranger."""
    row, his = a_payment(alice, State.MISMATCH), browser(bob.user)
    paths = [page_of(row), f"/c/{alice.account.pk}/billing/payments/{uuid.uuid4()}/"]
    paths += [f"/c/{uuid.uuid4()}/billing/payments/{row.pk}/", "/c/x/billing/payments/y/"]
    answers = [his.get(path) for path in paths]
    assert {each.status_code for each in answers} == {200}
    assert len({each.content for each in answers}) == 1
    assert NEUTRAL in text(answers[0])
    assert 'href="/c/"' in answers[0].content.decode()
    for secret in ("alice", str(row.pk), "2,500"):
        assert secret not in answers[0].content.decode()


def test_a_stranger_is_shown_the_way_in(alice: Person) -> None:
    row = a_payment(alice, State.OPEN)
    page = Client().get(page_of(row)).content.decode()
    way = re.search(r'href="(/log-in/[^"]*)"', page)
    assert way
    answer = Client().get(way.group(1))
    assert page_of(row) in unescape(answer.content.decode())
    odd = Client().get("/c/x/billing/payments/%3Cscript%3E/").content.decode()
    assert 'href="/log-in/"' in odd
    assert "script" not in odd


@pytest.mark.parametrize("rest", ["", "pay/", "status/", "receipt/"])
def test_bobs_payment_under_alices_account(rest: str, hers: Client, bob: Person) -> None:
    row = a_payment(bob, State.OPEN)
    account = ConsoleSession.objects.get().user.memberships.get().account_id  # type: ignore[union-attr]
    before = row.next_attempt_at
    for name in (row.pk, uuid.uuid4(), "x", "%00", f"urn:uuid:{row.pk}", "9" * 900):
        assert hers.get(f"/c/{account}/billing/payments/{name}/{rest}").status_code == 404
    row.refresh_from_db()
    assert row.next_attempt_at == before


@pytest.mark.parametrize("rest", ["pay/", "status/", "receipt/"])
def test_the_rest_is_for_members_alone(rest: str, alice: Person, bob: Person) -> None:
    row = a_payment(alice, State.OPEN, url=STRIPES)
    answer = browser(bob.user).get(page_of(row, rest))
    assert answer.status_code == 404
    assert STRIPES not in answer.content.decode()
    assert "Refresh" not in answer
    stranger = Client().get(page_of(row, rest))
    assert (stranger.status_code, stranger["Location"][:9]) == (303, "/log-in/?")


@pytest.mark.parametrize("rest", ["", "pay/", "status/", "receipt/"])
@pytest.mark.parametrize("method", ["post", "put", "delete"])
def test_they_can_only_be_looked_at(method: str, rest: str, hers: Client, alice: Person) -> None:
    row = a_payment(alice, State.OPEN)
    answer = getattr(hers, method)(page_of(row, rest))
    assert (answer.status_code, answer["Allow"]) == (405, "GET, HEAD")


def test_who_has_paid_is_thanked_while_the_database_is_away(hers: Client, alice: Person) -> None:
    path = page_of(a_payment(alice, State.OPEN))
    with database_away():
        answer = hers.get(path)
    assert NEUTRAL in text(answer)
    assert not answer.cookies  # and stays logged in
    assert NEUTRAL not in text(hers.get(path))


WORDS = {
    State.CREATED: "You were charged nothing yet.",
    State.OPEN: "If you have not, you were charged nothing.",
    State.PROCESSING: "Your bank confirms this payment in 2 to 14 days.",
    State.PAID: "2,500 credits are in the balance of alice. They do not expire.",
    State.EXPIRED: "Nobody paid before the link ended.",
    State.FAILED: "no credits were added",
    State.MISMATCH: "We are looking at it, and you need not do anything.",
}


@pytest.mark.parametrize("state", list(State))
def test_each_state_in_words(
    state: State, hers: Client, alice: Person, stripe: StripeEmulator
) -> None:
    row = a_payment(alice, state, last_error="secret", facts={"a": "secret", "amount_total": 1})
    answer = hers.get(page_of(row))
    page = text(answer)
    assert WORDS[state] in page
    assert str(row.pk) in page
    assert "Test mode, no real money" in page
    assert "secret" not in answer.content.decode()
    assert ("Continue to payment" in page) == (state in (State.CREATED, State.OPEN))
    assert bool(asks(answer)) == (state in (State.CREATED, State.OPEN, State.PROCESSING))
    assert (">Receipt<" in answer.content.decode()) == (state == State.PAID)


def test_money_that_is_not_as_ordered(hers: Client, alice: Person, till: Till) -> None:
    payment = till.order(alice, scenario="wrong-amount")
    till.pay(payment)
    path = page_of(till.settled(payment))
    page = text(hers.get(path))
    assert f"Should you write to us, name the payment: {payment.pk}" in page
    assert "1,000 credits" in page
    assert "amount" not in page  # what differs is for operators


def test_what_was_taken_back(hers: Client, alice: Person) -> None:
    row = a_payment(alice)
    a_reversal(row, 500, 500)
    a_dispute(row)
    page = text(hers.get(page_of(row)))
    assert "2,500 credits were added, and 2,500 of them were taken back." in page
    assert "Refund $5.00 \N{MINUS SIGN}500" in page
    assert "your bank took the money back $25.00 \N{MINUS SIGN}2,000" in page


# --- the way to Stripe


def test_the_way_to_stripe(hers: Client, alice: Person, settings: Any) -> None:
    settings.STRIPE_BASE_URL = ""
    answer = hers.get(page_of(a_payment(alice, State.OPEN, url=STRIPES), "pay/"))
    assert answer["Refresh"] == f"0; url={STRIPES}"
    assert f'href="{STRIPES}"' in answer.content.decode()
    assert answer["Cache-Control"] == "private, no-store"
    for word in ("<script>", "style=", "unsafe"):
        assert word not in answer.content.decode() + answer["Content-Security-Policy"]


@pytest.mark.parametrize(
    "columns",
    [
        {"url": "https://evil.example/"},
        {"url": "javascript:alert(1)"},
        {"url": STRIPES, "expires_at": timezone.now() - timedelta(seconds=1)},
    ],
)
def test_no_other_way(columns: dict[str, Any], hers: Client, alice: Person, settings: Any) -> None:
    settings.STRIPE_BASE_URL = ""
    row = a_payment(alice, State.OPEN, **columns)
    answer = hers.get(page_of(row, "pay/"))
    assert (answer.status_code, answer["Location"]) == (303, page_of(row))
    assert "Refresh" not in answer
    page = hers.get(page_of(row))
    assert "The link to this payment has ended." in text(page)
    assert "evil" not in page.content.decode()


@pytest.mark.parametrize("state", [s for s in State if s not in (State.CREATED, State.OPEN)])
def test_what_is_over_leads_to_its_page(state: State, hers: Client, alice: Person) -> None:
    """And that page leads nowhere by itself: no loop between Stripe and us."""
    row = a_payment(alice, state, url=STRIPES)
    answer = hers.get(page_of(row, "pay/"))
    assert (answer.status_code, answer["Location"]) == (303, page_of(row))
    assert "Refresh" not in hers.get(answer["Location"])


def test_it_waits_for_the_link_and_not_for_ever(
    hers: Client, alice: Person, stripe: StripeEmulator
) -> None:
    row, path = a_payment(alice, State.CREATED, url="", session_id=None), ""
    path = page_of(row, "pay/")
    for tries in range(1, 31):
        answer = hers.get(path)
        assert answer["Refresh"] == f"1; url={page_of(row, 'pay/')}?tries={tries}"
        path = answer["Refresh"].removeprefix("1; url=")
    last = hers.get(path)
    assert "Refresh" not in last
    assert "Stripe does not answer" in text(last)
    assert "Try again" in text(last)
    for odd in ("-1", "x", "9" * 50, "²"):
        assert hers.get(page_of(row, "pay/"), {"tries": odd})["Refresh"].endswith("?tries=1")
    Payment.objects.update(state=State.OPEN, session_id="cs_1", url=f"{stripe.url}/c/pay/cs_1")
    assert hers.get(path)["Refresh"] == f"0; url={stripe.url}/c/pay/cs_1"


def test_a_link_that_nobody_lived_to_ask_for(
    hers: Client, alice: Person, stripe: StripeEmulator
) -> None:
    long_ago = timezone.now() - timedelta(minutes=1)
    row = a_payment(alice, State.CREATED, url="", session_id=None, created_at=long_ago)
    hers.get(page_of(row, "pay/"))
    row.refresh_from_db()
    assert row.next_attempt_at is not None
    assert row.next_attempt_at <= timezone.now()


# --- the part that asks again


def test_it_asks_until_the_credits_are_there(hers: Client, alice: Person, till: Till) -> None:
    payment = till.order(alice)
    first = hers.get(page_of(payment))
    assert "every 1s" in first.content.decode()
    path = asks(first)
    assert hers.get(path, headers=HTMX).status_code == 204
    till.pay(payment)
    assert till.settled(payment).state == State.PAID
    answer = hers.get(path, headers=HTMX)
    assert "500 credits are in the balance of alice." in text(answer)
    assert asks(answer) == ""
    assert "<title>Paid | Reelmint</title>" in answer.content.decode()
    balance = re.search(r'id="header-balance"[^>]*>([^<]*)<', answer.content.decode())
    assert balance
    assert balance.group(1).strip() == "1,500 credits"


def test_it_asks_more_slowly_and_then_no_more(hers: Client, alice: Person) -> None:
    row = a_payment(alice, State.OPEN)
    now = timezone.now().timestamp()
    pages = [
        hers.get(page_of(row, "status/"), {"since": str(int(now - age))}).content.decode()
        for age in (0, 200, 4000)
    ]
    assert ["every 1s" in page for page in pages] == [True, False, False]
    assert ["every 5s" in page for page in pages] == [False, True, False]
    assert all("Refresh" in page for page in pages)
    for odd in ("", "x", "-5", "9" * 40, str(int(now + 10_000))):
        answer = hers.get(page_of(row, "status/"), {"since": odd})
        assert asks(answer) == ""


def test_a_question_is_one_select_of_the_payment(
    hers: Client, alice: Person, django_assert_num_queries: Any
) -> None:
    row = a_payment(alice, State.OPEN)
    before = row.next_attempt_at
    path = asks(hers.get(page_of(row)))
    Payment.objects.update(next_attempt_at=before)
    hers.get(path, headers=HTMX)
    with django_assert_num_queries(4):  # session, person, membership, payment
        assert hers.get(path, headers=HTMX).status_code == 204
    row.refresh_from_db()
    assert row.next_attempt_at == before


def test_a_page_that_stays_open_has_stripe_asked_again(hers: Client, alice: Person) -> None:
    """Who came back by *Back* and paid within five seconds would wait for the next look."""
    row, later = a_payment(alice, State.OPEN), timezone.now() + timedelta(hours=1)
    now = int(timezone.now().timestamp())
    for age, asked in ((0, False), (40, False), (10, True), (10, False)):
        Payment.objects.update(next_attempt_at=later)
        hers.get(page_of(row, "status/"), {"since": str(now - age)})
        row.refresh_from_db()
        assert (row.next_attempt_at != later) is asked


def test_the_page_takes_few_statements(
    hers: Client, alice: Person, django_assert_max_num_queries: Any
) -> None:
    row = a_payment(alice)
    for _ in range(3):
        a_reversal(row, 100, 100)
    hers.get(page_of(row))
    with django_assert_max_num_queries(12):
        hers.get(page_of(row))


# --- the receipt


def test_the_receipt(hers: Client, alice: Person, till: Till) -> None:
    payment = till.bought(alice)
    answer = hers.get(page_of(payment, "receipt/"))
    assert (answer.status_code, answer["Location"]) == (
        303,
        f"{till.stripe.url}/i/{payment.invoice_id}",
    )


def test_no_receipt(hers: Client, alice: Person, till: Till, settings: Any, free_port: int) -> None:
    row = a_payment(alice, State.OPEN)
    assert "There is no receipt for this payment." in text(hers.get(page_of(row, "receipt/")))
    payment = till.bought(alice)
    settings.STRIPE_BASE_URL = f"http://127.0.0.1:{free_port}"
    answer = hers.get(page_of(payment, "receipt/"))
    assert "Stripe keeps the receipt and did not answer." in text(answer, 503)
    assert answer["Retry-After"] == "60"
    settings.STRIPE_SECRET_KEY = ""
    assert "cannot be fetched from here" in text(hers.get(page_of(payment, "receipt/")))
