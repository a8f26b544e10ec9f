"""How the API is spoken: keys, forms, idempotency, lists, expansion, errors."""

from __future__ import annotations

import concurrent.futures
import time
from typing import Any

import httpx
import pytest
import stripe

from tests.support.stripe_works import SECRET_KEY, StripeEmulator

AUTHORIZED = {"Authorization": f"Bearer {SECRET_KEY}"}


@pytest.mark.parametrize("key", ["sk_test_wrong", "sk_live_emulated", "nonsense"])
def test_a_wrong_key_is_refused(seller: StripeEmulator, key: str) -> None:
    with pytest.raises(stripe.AuthenticationError) as refused:
        seller.client(key).v1.customers.create({"email": "a@example.com"})
    assert refused.value.http_status == 401
    assert seller.sdk.v1.customers.list().data == []


def test_the_key_may_come_as_a_user_name(seller: StripeEmulator) -> None:
    assert seller.http.get("/v1/customers", auth=(SECRET_KEY, "")).status_code == 200
    assert seller.http.get("/v1/customers", auth=("sk_test_wrong", "")).status_code == 401
    assert seller.http.get("/v1/customers").status_code == 401


def test_every_answer_names_its_request_and_version(seller: StripeEmulator) -> None:
    customer = seller.sdk.v1.customers.create({"email": "a@example.com"})
    assert customer.last_response
    headers = customer.last_response.headers
    assert headers["request-id"].startswith("req_")
    assert headers["stripe-version"] == "2026-10-28.endive"
    older = {**AUTHORIZED, "Stripe-Version": "2022-11-15"}
    answer = seller.http.get(f"/v1/customers/{customer.id}", headers=older)
    assert answer.headers["Stripe-Version"] == "2022-11-15"


def test_the_same_key_gets_the_same_answer(seller: StripeEmulator) -> None:
    made = [
        seller.sdk.v1.customers.create({"email": "a@example.com"}, {"idempotency_key": "k1"})
        for _ in range(2)
    ]
    assert made[0].id == made[1].id
    first, again = (each.last_response for each in made)
    assert first
    assert again
    assert "idempotent-replayed" not in first.headers
    assert again.headers["idempotent-replayed"] == "true"
    assert len(seller.sdk.v1.customers.list().data) == 1


def test_a_key_stands_for_its_parameters(seller: StripeEmulator) -> None:
    seller.sdk.v1.customers.create({"email": "a@example.com"}, {"idempotency_key": "k1"})
    with pytest.raises(stripe.IdempotencyError) as refused:
        seller.sdk.v1.customers.create({"email": "b@example.com"}, {"idempotency_key": "k1"})
    assert refused.value.http_status == 400
    with pytest.raises(stripe.IdempotencyError):
        seller.sdk.v1.products.create({"name": "a"}, {"idempotency_key": "k1"})


def test_a_refused_request_leaves_its_key_unused(seller: StripeEmulator) -> None:
    with pytest.raises(stripe.InvalidRequestError):
        seller.sdk.v1.customers.create({"email": "nobody"}, {"idempotency_key": "k1"})
    made = seller.sdk.v1.customers.create({"email": "a@example.com"}, {"idempotency_key": "k1"})
    assert made.email == "a@example.com"


def test_two_at_once_make_one(seller: StripeEmulator) -> None:
    """The second is told that the first is under way, or gets its answer."""

    def create(_: int) -> tuple[int, str]:
        with httpx.Client(base_url=seller.url, headers=AUTHORIZED) as client:
            answer = client.post(
                "/v1/customers", data={"name": "a"}, headers={"Idempotency-Key": "k1"}
            )
            return answer.status_code, answer.json().get("id", "")

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(create, range(24)))
    assert {status for status, _ in answers} <= {200, 409}
    assert len({name for status, name in answers if status == 200}) == 1
    assert len(seller.sdk.v1.customers.list().data) == 1


def test_a_key_that_is_under_way_is_a_conflict(seller: StripeEmulator) -> None:
    """Held open on purpose, so that it is under way for certain."""
    seller.control("hang=1")
    data = {
        "mode": "payment",
        "success_url": "http://127.0.0.1:9/",
        "line_items[0][price_data][currency]": "usd",
        "line_items[0][price_data][unit_amount]": "500",
        "line_items[0][price_data][product_data][name]": "credits",
    }
    headers = {**AUTHORIZED, "Idempotency-Key": "k1"}
    with pytest.raises(httpx.ReadTimeout):
        seller.http.post("/v1/checkout/sessions", data=data, headers=headers, timeout=0.3)
    assert seller.stats()["checkout_sessions"]["made"] == 0
    # Nothing was made, so the key is free again.
    answer = seller.http.post("/v1/checkout/sessions", data=data, headers=headers)
    assert answer.status_code == 200


def test_a_list_goes_on_after_an_id(seller: StripeEmulator) -> None:
    made = [seller.sdk.v1.customers.create({"name": str(number)}).id for number in range(5)]
    first = seller.sdk.v1.customers.list({"limit": 2})
    assert ([each.id for each in first.data], first.has_more) == (made[:2:-1], True)
    rest = seller.sdk.v1.customers.list({"limit": 3, "starting_after": first.data[-1].id})
    assert ([each.id for each in rest.data], rest.has_more) == (made[2::-1], False)
    before = seller.sdk.v1.customers.list({"limit": 1, "ending_before": rest.data[0].id})
    assert ([each.id for each in before.data], before.has_more) == ([first.data[-1].id], True)
    assert [each.id for each in first.auto_paging_iter()] == made[::-1]
    for wrong in ({"limit": 0}, {"limit": 101}, {"starting_after": "cus_none"}):
        with pytest.raises(stripe.InvalidRequestError):
            seller.sdk.v1.customers.list(wrong)  # type: ignore[arg-type]


def test_a_list_is_bounded_by_time(seller: StripeEmulator) -> None:
    seller.sdk.v1.customers.create({"name": "a"})
    now = int(time.time())

    def found(**bounds: int) -> int:
        return len(seller.sdk.v1.customers.list({"created": bounds}).data)  # type: ignore[arg-type]

    assert (found(gte=now - 60), found(gt=now + 60), found(lt=now - 60)) == (1, 0, 0)
    assert (found(gte=now - 60, lte=now + 60), found(lte=now - 60)) == (1, 0)


def test_expansion_follows_a_path(seller: StripeEmulator) -> None:
    session = seller.order("p1")
    seller.pay(session)
    sessions = seller.sdk.v1.checkout.sessions
    plain = sessions.retrieve(session.id)
    assert isinstance(plain.payment_intent, str)
    assert "line_items" not in plain.to_dict()
    listed = sessions.list({"expand": ["data.line_items", "data.customer"]}).data[0]
    assert listed.line_items
    assert listed.line_items.data[0].amount_total == 2500
    assert isinstance(listed.customer, stripe.Customer)
    for path in ("colour", "payment_intent.colour", "metadata.a.b.c.d"):
        with pytest.raises(stripe.InvalidRequestError):
            sessions.retrieve(session.id, {"expand": [path]})


BAD_FORMS: list[tuple[dict[str, str], str]] = [
    ({"email": "x" * 600 + "@example.com"}, "email"),
    ({"email": "no address"}, "email"),
    ({"metadata[a]": "x" * 501}, "metadata[a]"),
    ({"metadata": "text"}, "metadata"),
    ({f"metadata[k{number}]": "v" for number in range(51)}, "metadata"),
    ({"address[planet]": "Mars"}, "address[planet]"),
    ({"address": "Mars"}, "address"),
    ({"preferred_locales": "en"}, "preferred_locales"),
    ({"preferred_locales[x]": "en"}, "preferred_locales"),
    ({"name]": "a"}, "name]"),
    ({"name": "a", "name[b]": "c"}, "name[b]"),
    ({"a" + "[a]" * 20: "c"}, "a" + "[a]" * 20),
]


@pytest.mark.parametrize(("form", "param"), BAD_FORMS, ids=lambda value: str(value)[:30])
def test_a_bad_form_is_refused(seller: StripeEmulator, form: dict[str, str], param: str) -> None:
    answer = seller.http.post("/v1/customers", data=form, headers=AUTHORIZED)
    error = answer.json()["error"]
    assert (answer.status_code, error["type"]) == (400, "invalid_request_error")
    assert error.get("param") == param
    assert seller.sdk.v1.customers.list().data == []


def test_what_is_no_form_is_refused(seller: StripeEmulator) -> None:
    answer = seller.http.post("/v1/customers", json={"name": "a"}, headers=AUTHORIZED)
    assert answer.status_code == 400
    many = {f"metadata[{number}]": "v" for number in range(6000)}
    assert seller.http.post("/v1/customers", data=many, headers=AUTHORIZED).status_code == 400
    large = {"name": "x" * 2_000_000}
    assert seller.http.post("/v1/customers", data=large, headers=AUTHORIZED).status_code == 413


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/v1/nothing"), ("PUT", "/v1/customers"), ("GET", "/v1/refunds/re_1")],
)
def test_an_unknown_path_is_an_error_of_stripes(
    seller: StripeEmulator, method: str, path: str
) -> None:
    answer = seller.http.request(method, path, headers=AUTHORIZED)
    assert answer.status_code in (404, 405)
    assert answer.json()["error"]["type"] == "invalid_request_error"


def changed(**fields: Any) -> dict[str, Any]:
    return fields


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        (changed(expires_at=1), "expires_at"),
        (changed(client_reference_id="x" * 201), "client_reference_id"),
        (changed(line_items=[]), "line_items"),
        (changed(line_items=[{"quantity": 1}]), "line_items[0]"),
        (changed(line_items=[{"price": "price_none"}]), "line_items[0][price]"),
        (changed(customer="cus_none"), "customer"),
        (changed(customer_email="b@example.com"), "customer_email"),
        (changed(mode="subscription"), "mode"),
        (changed(success_url=None), "success_url"),
        (changed(success_url="javascript:alert(1)"), "success_url"),
        (changed(payment_method_types=["alipay"]), "payment_method_types[0]"),
        (changed(ui_mode="embedded_page"), "ui_mode"),
    ],
    ids=str,
)
def test_a_bad_order_is_refused(seller: StripeEmulator, fields: Any, param: str) -> None:
    with pytest.raises(stripe.InvalidRequestError) as refused:
        seller.order("p1", **fields)
    assert refused.value.param == param
    assert seller.stats()["checkout_sessions"]["made"] == 0
