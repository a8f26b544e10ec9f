"""``POST /api/v1/credits/checkout/``: a link, and nothing else."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import httpx
import pytest
from django.utils import timezone

from accounts.models import Account, User
from payments.models import BillingProfile, CreditPack, Payment
from payments.ordering import ask_for_link
from tests.payments.conftest import CHECKOUT, PACK, PAYMENTS
from tests.support.document import fits
from tests.support.people import Person, make_key, make_person, make_token
from tests.support.stripe_works import StripeEmulator

Api = Callable[..., httpx.Client]


def bought(client: httpx.Client, pack: str = "credits_2500", **headers: str) -> Any:
    return fits(client.post(CHECKOUT, json={"pack": pack}, headers=headers), CHECKOUT, 201)


def refused(answer: httpx.Response, status: int, code: str) -> dict[str, Any]:
    """Assert what was answered, and that nothing was made."""
    body: dict[str, Any] = fits(answer, CHECKOUT, status)
    assert body["code"] == code
    assert not Payment.objects.exists()
    return body


def test_a_link_is_made_and_nothing_else(api: Api, alice: Person, stripe: StripeEmulator) -> None:
    answer = api(alice.key).post(CHECKOUT, json=PACK)
    body = fits(answer, CHECKOUT, 201)
    row = Payment.objects.get()
    assert list(body) == [
        *("success", "payment_id", "status", "url", "expires_at"),
        *("pack", "credits", "amount_minor", "currency"),
    ]
    assert body == {
        "success": True,
        "payment_id": str(row.pk),
        "status": "open",
        "url": row.url,
        "expires_at": body["expires_at"],
        "pack": "credits_2500",
        "credits": 2500,
        "amount_minor": 2500,
        "currency": "usd",
    }
    assert body["url"].startswith(stripe.url)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", body["expires_at"])
    lives = datetime.fromisoformat(body["expires_at"]) - timezone.now()
    assert timedelta(minutes=39) < lives <= timedelta(minutes=40)
    assert answer.headers["Location"] == f"{PAYMENTS}{row.pk}/"
    assert "Retry-After" not in answer.headers
    assert "Idempotent-Replayed" not in answer.headers
    assert (row.created_by, row.account, row.livemode) == (alice.user, alice.account, False)
    assert (row.kind, row.idempotency_key, row.request_sha256) == ("checkout", None, None)
    assert (len(alice.entries), alice.balance) == (1, 1000)


def test_what_stripe_is_told(
    api: Api, alice: Person, stripe: StripeEmulator, base_url: str
) -> None:
    body = bought(api(alice.key))
    row = Payment.objects.get()
    session = stripe.sdk.v1.checkout.sessions.retrieve(str(row.session_id))
    assert (session.client_reference_id, session.amount_subtotal) == (body["payment_id"], 2500)
    assert session.expires_at == int(row.expires_at.timestamp())
    page = f"{base_url}/c/{alice.account.pk}/billing/payments/{row.pk}/"
    assert (session.success_url, session.cancel_url) == (page, page)
    assert BillingProfile.objects.get().customer_id == session.customer


@pytest.mark.parametrize("secret", [lambda person: person.key, make_token])
def test_any_credential_of_the_account_buys(
    secret: Callable[[Person], str], api: Api, alice: Person, stripe: StripeEmulator
) -> None:
    assert bought(api(secret(alice)))["status"] == "open"


def test_a_member_buys_for_the_account(api: Api, alice: Person, stripe: StripeEmulator) -> None:
    carol = make_person("carol", 0)
    bought(api(make_key(carol.user, alice.account)))
    row = Payment.objects.get()
    assert (row.account, row.created_by) == (alice.account, carol.user)


@pytest.mark.parametrize(
    ("body", "sentence", "detail"),
    [
        ({}, "Pack is required", "This field is required"),
        ({"pack": None}, "Pack is required", "This field is required"),
        ({"pack": ""}, "Pack is required", "This field is required"),
        ({"pack": " \u200b"}, "Pack is required", "This field is required"),
        ({"pack": "credits_1"}, None, None),
        ({"pack": "CREDITS_500"}, None, None),
        ({"pack": 500}, None, None),
        ({"pack": True}, None, None),
        ({"pack": ["credits_500"]}, None, None),
        ({"pack": {"name": "credits_500"}}, None, None),
        ({"pack": "x" * 900_000}, None, None),
        ({"pack": "credits_50000"}, None, None),
    ],
)
def test_what_is_no_pack(
    body: dict[str, Any], sentence: str | None, detail: str | None, api: Api, alice: Person
) -> None:
    """Also where payments are off: the body is judged first."""
    CreditPack.objects.filter(name="credits_50000").update(enabled=False)
    found = refused(api(alice.key).post(CHECKOUT, json=body), 400, "invalid_request")
    unknown = "Invalid pack. Must be one of: credits_500, credits_2500, credits_10000"
    assert found["error"] == (sentence or unknown)
    assert found["details"] == {"pack": detail or unknown}


def test_no_pack_at_all(api: Api, alice: Person) -> None:
    CreditPack.objects.update(enabled=False)
    found = refused(api(alice.key).post(CHECKOUT, json=PACK), 400, "invalid_request")
    assert found["error"] == "No pack is on sale at the moment"


def test_a_change_of_a_pack_changes_nothing_that_was_sold(
    api: Api, alice: Person, stripe: StripeEmulator
) -> None:
    body = bought(api(alice.key))
    CreditPack.objects.filter(name="credits_2500").update(credits=1, amount_minor=1, enabled=False)
    found = api(alice.key).get(f"{PAYMENTS}{body['payment_id']}/").json()
    assert (found["credits"], found["amount_minor"], found["status"]) == (2500, 2500, "open")


def test_without_a_key_nothing_is_sold(api: Api, alice: Person, settings: Any) -> None:
    settings.STRIPE_SECRET_KEY = ""
    answer = api(alice.key).post(CHECKOUT, json=PACK)
    found = refused(answer, 503, "payments_unavailable")
    assert found["error"] == "Payments are not available at the moment"
    assert answer.headers["Retry-After"] == "60"
    assert api(alice.key).get(PAYMENTS).json()["results"] == []


def test_an_account_that_nobody_proved_cannot_buy(
    api: Api, alice: Person, stripe: StripeEmulator
) -> None:
    User.objects.filter(pk=alice.user.pk).update(email_verified_at=None)
    make_person("carol")  # somebody else's proof is none
    for secret in (alice.key, make_token(alice)):
        found = refused(api(secret).post(CHECKOUT, json=PACK), 403, "email_not_verified")
        assert found["error"] == "Verify your e-mail address to buy credits"
    User.objects.filter(pk=alice.user.pk).update(email_verified_at=timezone.now())
    assert bought(api(alice.key))["status"] == "open"


def test_a_hold_stops_buying_and_nothing_else(
    api: Api, alice: Person, stripe: StripeEmulator
) -> None:
    hold(alice)
    found = refused(api(alice.key).post(CHECKOUT, json=PACK), 403, "payment_hold")
    assert found["error"] == "Buying credits is on hold for this account, contact support"
    assert "bad luck" not in str(found)  # the reason is for operators
    assert api(alice.key).get("/api/v1/credits/").status_code == 200


def test_a_suspended_account_cannot_even_ask(
    api: Api, alice: Person, stripe: StripeEmulator
) -> None:
    Account.objects.filter(pk=alice.account.pk).update(suspended_at=timezone.now())
    refused(api(alice.key).post(CHECKOUT, json=PACK), 403, "account_suspended")
    for path in (PAYMENTS, f"{PAYMENTS}{uuid.uuid4()}/"):
        assert api(alice.key).get(path).json()["code"] == "account_suspended"
    assert api(alice.key).get("/api/v1/credits/packs/").status_code == 200


def test_it_needs_a_secret(api: Api) -> None:
    refused(api().post(CHECKOUT, json=PACK), 401, "not_authenticated")


def test_stripe_that_refuses_for_good(api: Api, alice: Person, stripe: StripeEmulator) -> None:
    """Its key is another one's: nobody can pay, and nobody tells the customer why."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("django.conf.settings.STRIPE_SECRET_KEY", "sk_test_of_somebody_else")
        answer = api(alice.key).post(CHECKOUT, json=PACK, headers={"Idempotency-Key": "once"})
    assert fits(answer, CHECKOUT, 503)["code"] == "payments_unavailable"
    failed = Payment.objects.get()
    assert (failed.state, failed.idempotency_key) == ("failed", None)
    found = api(alice.key).get(f"{PAYMENTS}{failed.pk}/").json()
    assert (found["status"], found["url"]) == ("failed", None)
    # a refused request does not use its key up
    again = bought(api(alice.key), **{"Idempotency-Key": "once"})
    assert (again["status"], again["payment_id"] == str(failed.pk)) == ("open", False)


def test_stripe_that_does_not_answer(
    api: Api, alice: Person, stripe: StripeEmulator, settings: Any, free_port: int
) -> None:
    """The row is there, and a worker goes on asking."""
    settings.STRIPE_BASE_URL = f"http://127.0.0.1:{free_port}"
    answer = api(alice.key).post(CHECKOUT, json=PACK, headers={"Idempotency-Key": "once"})
    body = fits(answer, CHECKOUT, 201)
    assert (body["status"], body["url"]) == ("created", None)
    assert answer.headers["Retry-After"] == "2"
    row = Payment.objects.get()
    assert row.next_attempt_at is not None
    assert row.next_attempt_at <= timezone.now() + timedelta(seconds=2)
    again = api(alice.key).post(CHECKOUT, json=PACK, headers={"Idempotency-Key": "once"})
    assert again.json() == body
    assert (again.headers["Idempotent-Replayed"], again.headers["Retry-After"]) == ("true", "2")


def test_an_answer_that_was_lost_is_asked_for_again(
    api: Api, alice: Person, stripe: StripeEmulator
) -> None:
    """Asked in the same words and with the same key, Stripe has one Checkout Session."""
    stripe.control("create-then-no-answer").raise_for_status()
    body = bought(api(alice.key), **{"Idempotency-Key": "once"})
    assert (body["status"], body["url"]) == ("created", None)
    ask_for_link(Payment.objects.get())
    again = bought(api(alice.key), **{"Idempotency-Key": "once"})
    assert again == body | {"status": "open", "url": again["url"]}
    assert again["url"].startswith(stripe.url)
    assert stripe.stats()["checkout_sessions"]["made"] == 1


def hold(person: Person) -> None:
    Account.objects.filter(pk=person.account.pk).update(
        payment_hold_at=timezone.now(), payment_hold_reason="bad luck"
    )
