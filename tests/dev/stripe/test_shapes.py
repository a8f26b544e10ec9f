"""The check of shapes itself: what it names, and how much it has seen."""

from __future__ import annotations

import copy
import json
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
