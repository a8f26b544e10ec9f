"""How much an account may buy: in an hour, in a day, and at once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import httpx
import pytest
from django.utils import timezone

from payments.models import Payment
from payments.models.states import State
from tests.payments.conftest import CHECKOUT, verified
from tests.support.document import fits
from tests.support.people import Person, make_person
from tests.support.purchases import a_payment
from tests.support.racing import race
from tests.support.stripe_works import StripeEmulator

Api = Callable[..., httpx.Client]
HOUR, DAY = timedelta(hours=1), timedelta(hours=24)


def ago(moment: timedelta) -> dict[str, Any]:
    return {"created_at": timezone.now() - moment}


def ordered(api: Api, person: Person, pack: str = "credits_2500") -> httpx.Response:
    return api(person.key).post(CHECKOUT, json={"pack": pack})


def refused(answer: httpx.Response, code: str) -> tuple[str, int]:
    """The sentence, and when to come again."""
    body = fits(answer, CHECKOUT, 429)
    assert body["code"] == code
    return body["error"], int(answer.headers["Retry-After"])


def test_three_can_be_open(api: Api, alice: Person, bob: Person, stripe: StripeEmulator) -> None:
    for _ in range(3):
        assert ordered(api, alice, "credits_500").status_code == 201
    sentence, wait = refused(ordered(api, alice, "credits_500"), "too_many_open_payments")
    assert sentence == "At most 3 payments can be open at once, pay or wait for one to expire"
    assert 39 * 60 < wait <= 40 * 60
    assert ordered(api, bob).status_code == 201
    assert Payment.objects.filter(account=alice.account).count() == 3


@pytest.mark.parametrize("state", [each for each in State if each not in ("created", "open")])
def test_what_does_not_wait_for_the_customer_leaves_room(
    state: State, api: Api, alice: Person, stripe: StripeEmulator
) -> None:
    for _ in range(3):
        a_payment(alice, state, amount_minor=1, **ago(2 * DAY))
    for _ in range(2):
        a_payment(alice, State.OPEN, amount_minor=1)
    assert ordered(api, alice).status_code == 201
    refused(ordered(api, alice), "too_many_open_payments")


def test_the_first_that_ends_says_when(api: Api, alice: Person, stripe: StripeEmulator) -> None:
    """One that should have ended long ago still counts, until a worker ended it."""
    for seconds in (700, 500, 900):
        ends = timezone.now() + timedelta(seconds=seconds)
        a_payment(alice, State.OPEN, expires_at=ends, **ago(2 * DAY))
    _, wait = refused(ordered(api, alice), "too_many_open_payments")
    assert 495 <= wait <= 500
    Payment.objects.update(expires_at=timezone.now() - DAY)
    assert refused(ordered(api, alice), "too_many_open_payments")[1] == 1


def test_twenty_at_once_open_exactly_three(
    api: Api, alice: Person, bob: Person, stripe: StripeEmulator
) -> None:
    client = api(alice.key)
    answers = race([lambda: client.post(CHECKOUT, json={"pack": "credits_500"})] * 20)
    found = Counter(each.status_code for each in answers if isinstance(each, httpx.Response))
    assert found == {201: 3, 429: 17}
    rows = Payment.objects.filter(account=alice.account)
    assert [row.state for row in rows] == ["open"] * 3
    assert stripe.stats()["checkout_sessions"]["made"] == 3
    assert ordered(api, bob).status_code == 201


@pytest.mark.parametrize("number", range(5))
def test_two_at_once_do_not_both_get_the_last_place(
    number: int, api: Api, alice: Person, stripe: StripeEmulator
) -> None:
    for _ in range(2):
        a_payment(alice, State.OPEN)
    client = api(alice.key)
    answers = race([lambda: client.post(CHECKOUT, json={"pack": "credits_500"})] * 2, at_once=2)
    codes = sorted(each.status_code for each in answers if isinstance(each, httpx.Response))
    assert codes == [201, 429]
    assert Payment.objects.count() == 3


def test_ten_an_hour_an_account(
    api: Api, alice: Person, bob: Person, stripe: StripeEmulator
) -> None:
    for minutes in range(58, 49, -1):
        a_payment(alice, State.EXPIRED, **ago(timedelta(minutes=minutes)))
    a_payment(alice, State.FAILED, **ago(timedelta(minutes=61)))
    assert ordered(api, alice).status_code == 201
    answer = ordered(api, alice)
    sentence, wait = refused(answer, "rate_limited")
    assert 115 <= wait <= 120
    assert sentence == f"Too many requests, try again in {wait} seconds"
    assert ordered(api, bob).status_code == 201
    assert Payment.objects.filter(account=alice.account, state=State.OPEN).count() == 1


def test_thirty_an_hour_an_address(api: Api, stripe: StripeEmulator, settings: Any) -> None:
    """Counted over all accounts; what is refused for another reason before takes no place."""
    settings.RATE_LIMIT_CHECKOUTS_ADDRESS = 2
    unverified = make_person("mallory")
    for _ in range(5):
        assert ordered(api, unverified).json()["code"] == "email_not_verified"
    people = [verified(make_person(name)) for name in ("carol", "dave", "erin")]
    assert [ordered(api, each).status_code for each in people] == [201, 201, 429]
    _, wait = refused(ordered(api, people[2]), "rate_limited")
    assert 3590 < wait <= 3600
    assert Payment.objects.count() == 2


def test_a_new_account_buys_for_less_in_a_day(
    api: Api, alice: Person, stripe: StripeEmulator
) -> None:
    sentence, wait = refused(ordered(api, alice, "credits_50000"), "purchase_limit_reached")
    assert sentence == "Credits can be bought for at most 200.00 USD in 24 hours"
    assert wait == 24 * 3600
    # a payment of a week ago is what makes it known
    paid = {"finished_at": timezone.now() - timedelta(days=6, hours=23), **ago(8 * DAY)}
    a_payment(alice, livemode=True, **paid | {"finished_at": timezone.now() - 8 * DAY})
    a_payment(alice, **paid)
    a_payment(alice, State.FAILED, **paid | {"finished_at": timezone.now() - 8 * DAY})
    refused(ordered(api, alice, "credits_50000"), "purchase_limit_reached")
    a_payment(alice, **paid | {"finished_at": timezone.now() - timedelta(days=7, hours=1)})
    assert ordered(api, alice, "credits_50000").status_code == 201
    sentence, _ = refused(ordered(api, alice, "credits_10000"), "purchase_limit_reached")
    assert sentence == "Credits can be bought for at most 500.00 USD in 24 hours"


def test_what_counts_for_the_day(api: Api, alice: Person, stripe: StripeEmulator) -> None:
    """Whatever took money or may still take it, of this mode and of these 24 hours."""
    for state in (State.PAID, State.PROCESSING):
        a_payment(alice, state, amount_minor=7_000, **ago(timedelta(hours=20)))
    for state in (State.EXPIRED, State.FAILED, State.MISMATCH):
        a_payment(alice, state, amount_minor=90_000)
    a_payment(alice, State.OPEN, amount_minor=90_000, livemode=True)
    a_payment(alice, State.PAID, amount_minor=90_000, **ago(timedelta(hours=24, minutes=1)))
    a_payment(alice, State.OPEN, amount_minor=5_000, **ago(timedelta(minutes=5)))
    _, wait = refused(ordered(api, alice), "purchase_limit_reached")
    assert 4 * 3600 - 5 <= wait <= 4 * 3600  # when the two of 20 hours ago leave
    assert ordered(api, alice, "credits_500").status_code == 201
    total = 7_000 * 2 + 5_000 + 500
    a_payment(alice, State.CREATED, amount_minor=20_000 - total - 499)
    refused(ordered(api, alice, "credits_500"), "purchase_limit_reached")


def test_the_sum_may_reach_the_limit(
    api: Api, alice: Person, stripe: StripeEmulator, settings: Any
) -> None:
    settings.PURCHASE_MAX_PER_DAY = 3_000  # below that of a new account: the lower one holds
    a_payment(alice, State.OPEN, amount_minor=500)
    assert ordered(api, alice, "credits_2500").status_code == 201
    sentence, _ = refused(ordered(api, alice, "credits_500"), "purchase_limit_reached")
    assert sentence == "Credits can be bought for at most 30.00 USD in 24 hours"


def test_ten_at_once_stay_below_the_days_limit(
    api: Api, alice: Person, stripe: StripeEmulator, settings: Any
) -> None:
    settings.PURCHASE_MAX_PER_DAY = 5_000
    client = api(alice.key)
    answers = race([lambda: client.post(CHECKOUT, json={"pack": "credits_2500"})] * 10, at_once=10)
    found = Counter(each.status_code for each in answers if isinstance(each, httpx.Response))
    assert found == {201: 2, 429: 8}


def test_the_order_in_which_it_is_judged(
    api: Api, alice: Person, stripe: StripeEmulator, settings: Any
) -> None:
    for _ in range(3):
        a_payment(alice, State.OPEN)
    settings.PURCHASE_MAX_PER_DAY = 1
    settings.RATE_LIMIT_CHECKOUTS = 3
    refused(ordered(api, alice), "rate_limited")
    settings.RATE_LIMIT_CHECKOUTS = 4
    refused(ordered(api, alice), "purchase_limit_reached")
    settings.PURCHASE_MAX_PER_DAY = 50_000
    refused(ordered(api, alice), "too_many_open_payments")
