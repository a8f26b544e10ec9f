"""``Idempotency-Key`` of a checkout: the same payment again, as it is now."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import httpx
import pytest
from django.db import transaction
from django.utils import timezone

from accounts.models import Account, User
from common.idempotency import fingerprint
from common.web import rate_limit
from payments.models import CreditPack, Payment
from tests.payments.conftest import CHECKOUT, PACK, PAYMENTS
from tests.support.document import fits
from tests.support.people import Person, make_token
from tests.support.racing import race
from tests.support.stripe_works import StripeEmulator

Api = Callable[..., httpx.Client]
KEY = {"Idempotency-Key": "order-1"}


@pytest.fixture
def first(api: Api, alice: Person, stripe: StripeEmulator) -> dict[str, Any]:
    """What the key made."""
    answer = api(alice.key).post(CHECKOUT, json=PACK, headers=KEY)
    assert answer.status_code == 201
    return dict(answer.json())


def replayed(answer: httpx.Response) -> Any:
    assert answer.headers["Idempotent-Replayed"] == "true"
    assert answer.headers["Location"].startswith(PAYMENTS)
    return fits(answer, CHECKOUT, 201)


def test_the_same_request_is_the_same_payment(
    api: Api, alice: Person, first: dict[str, Any], stripe: StripeEmulator
) -> None:
    for secret in (alice.key, make_token(alice)):
        for body in (PACK, PACK | {"else": None}):
            assert replayed(api(secret).post(CHECKOUT, json=body, headers=KEY)) == first
    assert Payment.objects.count() == 1
    assert stripe.stats()["checkout_sessions"]["made"] == 1


def test_it_is_shown_as_it_is_now(api: Api, alice: Person, first: dict[str, Any]) -> None:
    Payment.objects.update(state="expired", finished_at=timezone.now(), next_attempt_at=None)
    again = replayed(api(alice.key).post(CHECKOUT, json=PACK, headers=KEY))
    assert again == first | {"status": "expired", "url": None}


@pytest.mark.parametrize(
    "body", [{"pack": "credits_500"}, PACK | {"else": 1}, {}, {"pack": "no such"}]
)
def test_another_request_is_refused(
    body: dict[str, Any], api: Api, alice: Person, first: dict[str, Any]
) -> None:
    answer = api(alice.key).post(CHECKOUT, json=body, headers=KEY)
    assert fits(answer, CHECKOUT, 409)["code"] == "idempotency_key_reused"
    assert Payment.objects.count() == 1


def test_somebody_elses_key_is_their_own(
    api: Api, alice: Person, bob: Person, first: dict[str, Any]
) -> None:
    answer = api(bob.key).post(CHECKOUT, json=PACK, headers=KEY)
    assert fits(answer, CHECKOUT, 201)["payment_id"] != first["payment_id"]
    assert "Idempotent-Replayed" not in answer.headers


@pytest.mark.parametrize("key", ["", "x" * 256, "\u00e9", "a\tb"])
def test_what_is_no_key(key: str, api: Api, alice: Person, stripe: StripeEmulator) -> None:
    headers = {"Idempotency-Key": key.encode("latin-1")}
    answer = api(alice.key).post(CHECKOUT, json=PACK, headers=headers)  # type: ignore[arg-type]
    assert fits(answer, CHECKOUT, 400)["code"] == "invalid_request"
    assert not Payment.objects.exists()


def switched_off(settings: Any) -> None:
    settings.STRIPE_SECRET_KEY = ""


def unverified(settings: Any) -> None:
    User.objects.update(email_verified_at=None)


def held(settings: Any) -> None:
    Account.objects.update(payment_hold_at=timezone.now())


def of_a_busy_address(settings: Any) -> None:
    settings.RATE_LIMIT_CHECKOUTS_ADDRESS = 1
    assert rate_limit.hit("checkouts", 1, 3600, "127.0.0.1").allowed


def of_a_busy_account(settings: Any) -> None:
    settings.RATE_LIMIT_CHECKOUTS = 1


def poor(settings: Any) -> None:
    settings.PURCHASE_MAX_PER_DAY = 1


def taken_off_sale(settings: Any) -> None:
    CreditPack.objects.update(enabled=False)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (taken_off_sale, "invalid_request"),
        (switched_off, "payments_unavailable"),
        (unverified, "email_not_verified"),
        (held, "payment_hold"),
        (of_a_busy_address, "rate_limited"),
        (of_a_busy_account, "rate_limited"),
        (poor, "purchase_limit_reached"),
    ],
)
def test_a_replay_is_never_refused(
    change: Callable[[Any], None],
    code: str,
    api: Api,
    alice: Person,
    first: dict[str, Any],
    settings: Any,
) -> None:
    """Each of these refuses whoever has no key, and a new key is not used up by it."""
    change(settings)
    client = api(alice.key)
    assert replayed(client.post(CHECKOUT, json=PACK, headers=KEY)) == first
    for headers in ({}, {"Idempotency-Key": "order-2"}):
        assert client.post(CHECKOUT, json=PACK, headers=headers).json()["code"] == code
    assert Payment.objects.count() == 1


def test_a_replay_takes_no_place_of_the_addresss(
    api: Api, alice: Person, first: dict[str, Any], settings: Any
) -> None:
    settings.RATE_LIMIT_CHECKOUTS_ADDRESS = 2
    for _ in range(5):
        replayed(api(alice.key).post(CHECKOUT, json=PACK, headers=KEY))
    assert "Idempotent-Replayed" not in api(alice.key).post(CHECKOUT, json=PACK).headers


def test_twenty_at_once_are_one_payment(api: Api, alice: Person, stripe: StripeEmulator) -> None:
    client = api(alice.key)
    answers = race([lambda: client.post(CHECKOUT, json=PACK, headers=KEY)] * 20)
    found = [answer for answer in answers if isinstance(answer, httpx.Response)]
    assert [answer.status_code for answer in found] == [201] * 20, found[0].text
    assert len({answer.json()["payment_id"] for answer in found}) == 1
    assert sum("Idempotent-Replayed" not in answer.headers for answer in found) == 1
    # who came while Stripe was being asked was told to come again
    for answer in found:
        assert (answer.json()["status"] == "created") == ("Retry-After" in answer.headers)
    assert Payment.objects.get().state == "open"
    assert stripe.stats()["checkout_sessions"]["made"] == 1


def test_who_waits_too_long_is_told_to_come_again(
    api: Api, alice: Person, stripe: StripeEmulator
) -> None:
    """The account's lock is held by the first request with this key, for all anybody knows."""
    with transaction.atomic():
        Account.objects.select_for_update().get(pk=alice.account.pk)
        answer = api(alice.key).post(CHECKOUT, json=PACK, headers=KEY)
        assert fits(answer, CHECKOUT, 409)["code"] == "idempotency_in_progress"
        assert answer.headers["Retry-After"] == "1"
        without = api(alice.key).post(CHECKOUT, json=PACK)
        assert fits(without, CHECKOUT, 503)["code"] == "service_unavailable"
    assert not Payment.objects.exists()


def test_a_row_that_nobody_asked_for_is_made_due_by_its_repeat(
    api: Api, alice: Person, first: dict[str, Any]
) -> None:
    """The process that made it died before it asked Stripe."""
    before, later = timezone.now(), timezone.now() + timedelta(seconds=50)
    Payment.objects.all().delete()
    Payment.objects.create(
        account=alice.account,
        pack_id="credits_2500",
        credits=2500,
        amount_minor=2500,
        currency="usd",
        livemode=False,
        idempotency_key="order-1",
        request_sha256=fingerprint(CHECKOUT, PACK),
        expires_at=later,
        next_attempt_at=later,
        created_at=before - timedelta(seconds=15),
    )
    answer = api(alice.key).post(CHECKOUT, json=PACK, headers=KEY)
    assert replayed(answer)["status"] == "created"
    row = Payment.objects.get()
    assert row.next_attempt_at is not None
    assert row.next_attempt_at <= timezone.now()
