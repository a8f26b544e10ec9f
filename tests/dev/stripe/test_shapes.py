"""The check of shapes itself: what it names, and how much it has seen."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest

from tests.support.stripe_shapes import differences, of_record
from tests.support.stripe_works import StripeEmulator


@pytest.fixture
def session(seller: StripeEmulator) -> dict[str, Any]:
    """A paid session with all that the shop looks at."""
    ordered = seller.order("p1")
    seller.pay(ordered)
    return dict(json.loads(json.dumps(seller.fetch(ordered).to_dict())))


def spoilt(body: dict[str, Any], path: str, value: Any = ...) -> list[str]:
    """The differences once one field is another one, or gone."""
    changed = copy.deepcopy(body)
    *outer, name = path.split(".")
    place = changed
    for part in outer:
        place = place[part]
    if value is ...:
        del place[name]
    else:
        place[name] = value
    return list(differences(changed))


def test_what_it_answers_has_stripes_shape(session: dict[str, Any]) -> None:
    assert list(differences(session)) == []


@pytest.mark.parametrize(
    ("path", "value", "words"),
    [
        ("livemode", ..., "checkout.session.livemode: missing"),
        ("payment_intent.latest_charge.paid", ..., "latest_charge.paid: missing"),
        ("amount_total", "2500", "checkout.session.amount_total: str instead of int"),
        ("livemode", 1, "checkout.session.livemode: int instead of bool"),
        ("expires_at", None, "checkout.session.expires_at: null"),
        ("colour", "red", "checkout.session.colour: invented"),
        ("payment_intent.colour", "red", "payment_intent.colour: invented"),
        ("total_details.colour", "red", "total_details.colour: invented"),
        ("total_details", {}, "total_details.amount_discount: missing"),
        ("payment_status", "nearly", "payment_status: 'nearly' is none of"),
        ("payment_method_types", "card", "payment_method_types: str instead of a list"),
        ("custom_fields", [1], "custom_fields[0]: int instead of"),
        ("metadata", {"payment": 7}, "metadata.payment: int instead of str"),
        ("payment_intent.latest_charge.refunds", [], "refunds: no list of Stripe's"),
        ("payment_intent", {"object": "charge"}, "payment_intent: dict instead of"),
        ("object", "basket", "no such kind of object: basket"),
    ],
)
def test_it_names_what_is_wrong(session: dict[str, Any], path: str, value: Any, words: str) -> None:
    found = spoilt(session, path, value)
    assert any(words in each for each in found), found


def test_it_reads_what_events_carry(seller: StripeEmulator) -> None:
    seller.pay(seller.order("p1"))
    event = json.loads(json.dumps(seller.sdk.v1.events.list().data[0].to_dict()))
    assert list(differences(event)) == []
    assert spoilt(event, "data.object.livemode")
    assert spoilt(event, "type", "checkout.session.nearly")
    assert spoilt(event, "data.object", "cs_1")


def test_the_record_holds_answers_and_events(seller: StripeEmulator) -> None:
    before = len(seller.record.read_text().splitlines())
    seller.pay(seller.order("p1"))
    lines = [json.loads(each) for each in seller.record.read_text().splitlines()[before:]]
    assert {each["what"] for each in lines} == {"answer", "event"}
    assert "checkout.session.completed" in {each["name"] for each in lines}
    kinds, found = of_record(seller.record)
    assert not found
    assert {"checkout.session", "customer", "charge", "payment_intent", "event"} <= set(kinds)


def test_many_kinds_of_objects_are_seen(seller: StripeEmulator, tmp_path: Path) -> None:
    """At least twelve, each of them as an answer of its own or as an event's object."""
    sdk, before = seller.sdk, len(seller.record.read_text().splitlines())
    coupon = sdk.v1.coupons.create({"percent_off": 20})
    promotion: Any = {"promotion": {"type": "coupon", "coupon": coupon.id}}
    sdk.v1.promotion_codes.create(promotion)
    price: Any = {"currency": "usd", "unit_amount": 500, "product_data": {"name": "credits"}}
    sdk.v1.prices.create(price)
    sdk.v1.products.create({"name": "credits"})
    sdk.v1.setup_intents.create({"confirm": True, "payment_method": "pm_card_visa"})
    sdk.v1.webhook_endpoints.list()
    session = seller.order("p1", invoice_creation={"enabled": True})
    sdk.v1.billing_portal.sessions.create({"customer": session.customer})
    seller.pay(session, "4000000000000259")
    seller.fetch(session)
    other = seller.order("p2")
    seller.pay(other)
    sdk.v1.refunds.create({"payment_intent": seller.fetch(other).payment_intent.id})
    part = tmp_path / "part.jsonl"
    part.write_text("\n".join(seller.record.read_text().splitlines()[before:]))
    kinds, found = of_record(part)
    assert not found
    assert len(kinds) >= 18
    assert {"dispute", "invoice", "refund", "setup_intent", "billing_portal.session"} <= set(kinds)
