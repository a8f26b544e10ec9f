"""``GET /api/v1/credits/payments/``: the account's payments, and each one of them."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import httpx
import pytest
from django.utils import timezone

from common.times import with_z
from payments.models import Payment
from payments.models.states import State
from payments.public import PublicPayment
from tests.payments.conftest import PAYMENTS
from tests.support.document import fits
from tests.support.people import Person, make_token
from tests.support.purchases import a_payment, a_reversal

Api = Callable[..., httpx.Client]
ONE = "/api/v1/credits/payments/{payment_id}/"


def shown(client: httpx.Client, payment: Payment) -> Any:
    return fits(client.get(f"{PAYMENTS}{payment.pk}/"), ONE, 200)


def listed(client: httpx.Client, query: str = "") -> list[str]:
    body = fits(client.get(f"{PAYMENTS}?{query}"), PAYMENTS, 200)
    return [each["payment_id"] for each in body["results"]]


@pytest.mark.parametrize("state", list(State))
def test_every_key_is_always_there(state: State, api: Api, alice: Person) -> None:
    """The link while it can be paid, what was paid from then on."""
    row = a_payment(alice, state, paid_minor=2975, tax_minor=475, discount_minor=0)
    body = shown(api(alice.key), row)
    assert set(body) == {"success", *PublicPayment.__annotations__}
    assert (body["success"], body["payment_id"], body["status"]) == (True, str(row.pk), state)
    assert (body["url"] is not None) == (state == State.OPEN)
    paid = (2975, 475, 0) if state == State.PAID else (None, None, None)
    assert (body["paid_minor"], body["tax_minor"], body["discount_minor"]) == paid
    assert (body["finished_at"] is None) == (state in ("created", "open", "processing"))
    del body["success"]
    assert api(alice.key).get(PAYMENTS).json()["results"] == [body]


def test_what_one_looks_like(api: Api, alice: Person) -> None:
    row = a_payment(alice, paid_minor=2500, tax_minor=None)
    a_reversal(row, 500, 500)
    assert shown(api(make_token(alice)), row) == {
        "success": True,
        "payment_id": str(row.pk),
        "status": "paid",
        "pack": "credits_2500",
        "credits": 2500,
        "amount_minor": 2500,
        "currency": "usd",
        "paid_minor": 2500,
        "tax_minor": None,
        "discount_minor": None,
        "credits_reversed": 500,
        "livemode": False,
        "url": None,
        "created_at": with_z(row.created_at),
        "expires_at": with_z(row.expires_at),
        "finished_at": row.finished_at and with_z(row.finished_at),
    }


def test_what_operators_know_is_not_shown(api: Api, alice: Person) -> None:
    row = a_payment(alice, State.FAILED, last_error="secret-error", facts={"a": "secret-fact"})
    for text in (
        api(alice.key).get(f"{PAYMENTS}{row.pk}/").text,
        api(alice.key).get(PAYMENTS).text,
    ):
        assert "secret" not in text
        assert str(row.session_id) not in text


def test_an_automatic_one_has_no_pack_to_name(api: Api, alice: Person) -> None:
    row = a_payment(alice, State.CREATED, kind="auto", pack=None, created_by=None)
    assert shown(api(alice.key), row)["pack"] is None


def test_newest_first_in_pages(api: Api, alice: Person, bob: Person) -> None:
    now = timezone.now()
    rows = [a_payment(alice, created_at=now - timedelta(minutes=each)) for each in range(5)]
    a_payment(bob)
    client, ids = api(alice.key), [str(row.pk) for row in rows]
    assert listed(client) == ids
    assert listed(client, "limit=2&offset=1") == ids[1:3]
    assert listed(client, "limit=2&page=3") == ids[4:]
    body = client.get(f"{PAYMENTS}?limit=2").json()
    assert (body["count"], body["count_is_capped"], body["previous"]) == (5, False, None)
    seen = []
    while True:
        seen += [each["payment_id"] for each in body["results"]]
        if body["next"] is None:
            break
        body = client.get(body["next"]).json()
    assert seen == ids
    assert [each["payment_id"] for each in client.get(body["previous"]).json()["results"]] == ids[
        2:4
    ]


@pytest.mark.parametrize("state", list(State))
def test_a_status_is_a_filter(state: State, api: Api, alice: Person) -> None:
    rows = {each: str(a_payment(alice, each).pk) for each in State}
    assert listed(api(alice.key), f"status={state}") == [rows[state]]
    assert listed(api(alice.key), f"status={state}&limit=1&offset=1") == []


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("status=", "status"),
        ("status=PAID", "status"),
        ("status=refunded", "status"),
        ("limit=0", "limit"),
        ("limit=101", "limit"),
        ("offset=10001", "offset"),
        ("cursor=x", "cursor"),
    ],
)
def test_what_no_list_is_asked_for(query: str, field: str, api: Api, alice: Person) -> None:
    body = fits(api(alice.key).get(f"{PAYMENTS}?{query}"), PAYMENTS, 400)
    assert list(body["details"]) == [field]


@pytest.mark.parametrize("name", ["x", "{}", "00000000", "%00", "urn:uuid:{id}", "{id}0"])
def test_what_is_no_payment_of_theirs_is_the_same_404(
    name: str, api: Api, alice: Person, bob: Person
) -> None:
    row = a_payment(alice)
    expected = api(bob.key).get(f"{PAYMENTS}{uuid.uuid4()}/").json()
    for asked in (str(row.pk), name.replace("{id}", str(row.pk))):
        body = api(bob.key).get(f"{PAYMENTS}{asked}/").json()
        assert {**body, "request_id": ""} == {**expected, "request_id": ""}
    assert expected["code"] == "not_found"
    assert shown(api(alice.key), row)["status"] == "paid"


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_nothing_is_changed_here(method: str, api: Api, alice: Person) -> None:
    row = a_payment(alice, State.OPEN)
    for path in (PAYMENTS, f"{PAYMENTS}{row.pk}/"):
        assert api(alice.key).request(method, path, json={}).status_code == 405
    assert Payment.objects.get().state == "open"
