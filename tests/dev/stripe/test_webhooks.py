"""Deliveries: signed, repeated, written down, and what scenarios do to them."""

from __future__ import annotations

import time
from collections import Counter
from typing import Any

import pytest
import stripe

from tests.support.stripe_works import (
    WEBHOOK_SECRET,
    Shop,
    StripeEmulator,
    Told,
    stripe_emulator,
    until,
)

COMPLETED = "checkout.session.completed"


def completed(told: Shop, payment: str = "p1") -> list[Told]:
    return [each for each in told.of(payment) if each.event["type"] == COMPLETED]


def is_genuine(each: Told, secret: str = WEBHOOK_SECRET) -> bool:
    try:
        stripe.WebhookSignature.verify_header(each.raw, each.signature, secret, 300)
    except stripe.SignatureVerificationError:
        return False
    return True


def test_a_random_id_is_no_payment() -> None:
    about = Told("", b'{"id": "evt_1", "data": {"object": {"metadata": {"payment": "p1"}}}}')
    other = Told("", b'{"id": "evt_p1", "data": {"object": {"id": "cus_3xp1"}}}')
    kept = Shop("http://127.0.0.1:9/", told=[other, about])
    assert kept.of("p1") == [about]
    assert kept.of("") == [other, about]


def test_a_changed_byte_breaks_the_signature(seller: StripeEmulator, told: Shop) -> None:
    seller.pay(seller.order("p1"))
    (each,) = completed(told)
    assert is_genuine(each)
    assert not is_genuine(Told(each.signature, each.raw.replace(b"2500", b"2501", 1)))
    assert not is_genuine(each, "whsec_another")


def test_it_repeats_until_it_is_taken(seller: StripeEmulator, told: Shop) -> None:
    told.answers[COMPLETED] = [500, 302, 404]
    seller.pay(seller.order("p1"))
    until(lambda: len(completed(told)) == 4)
    tries = completed(told)
    assert len({each.event["id"] for each in tries}) == 1
    assert all(is_genuine(each) for each in tries)
    log = [each for each in seller.payment("p1")["deliveries"] if each["type"] == COMPLETED]
    assert [each["attempt"] for each in log] == [1, 2, 3, 4]
    assert [each["status"] < 300 for each in log] == [False, False, False, True]


def test_each_attempt_is_signed_anew(seller: StripeEmulator, told: Shop) -> None:
    told.answers[COMPLETED] = [500] * 9
    seller.pay(seller.order("p1"))
    moments = until(
        lambda: len(found := {each.signature for each in completed(told)}) > 1 and found
    )
    assert len(moments) > 1


def test_nobody_there_is_written_down(
    seller: StripeEmulator, tmp_path: Any, free_port: int
) -> None:
    url = f"http://127.0.0.1:{free_port}/"
    options = ["--webhook-url", url, "--webhook-secret", "whsec_1", "--time-scale", "0.001"]
    with stripe_emulator(tmp_path, *options) as alone:
        alone.pay(alone.order("p1"))
        log = until(lambda: alone.payment("p1")["deliveries"])
    assert {each["status"] for each in log} == {None}
    assert {each["problem"] for each in log} == {"ClientConnectorError"}


def test_a_rolled_secret_signs_twice(tmp_path: Any, told: Shop) -> None:
    options = ["--webhook-url", told.url, "--webhook-secret", "whsec_1"]
    with stripe_emulator(tmp_path, *options, "--webhook-secret", "whsec_2") as rolled:
        rolled.pay(rolled.order("p1"))
        (each,) = completed(told)
    assert is_genuine(each, "whsec_1")
    assert is_genuine(each, "whsec_2")
    assert not is_genuine(each)


def test_an_endpoint_hears_what_it_asked_for(seller: StripeEmulator, told: Shop) -> None:
    made = seller.sdk.v1.webhook_endpoints.create(
        {"url": f"{told.url}second", "enabled_events": ["charge.refunded"]}
    )
    assert made.secret
    assert made.secret.startswith("whsec_")
    assert "secret" not in seller.sdk.v1.webhook_endpoints.retrieve(made.id).to_dict()
    seller.control("refund")
    seller.pay(seller.order("p1"))
    until(lambda: Counter(told.kinds())["charge.refunded"] == 2)
    mine = [each for each in told.of("p1") if is_genuine(each, made.secret)]
    assert [each.event["type"] for each in mine] == ["charge.refunded"]
    off = seller.sdk.v1.webhook_endpoints.update(made.id, {"disabled": True})
    assert off.status == "disabled"
    seller.sdk.v1.webhook_endpoints.delete(made.id)
    assert len(seller.sdk.v1.webhook_endpoints.list().data) == 1  # the command line's


def test_events_can_be_listed(seller: StripeEmulator) -> None:
    session = seller.order("p1")
    seller.pay(session)
    events = seller.sdk.v1.events
    (event,) = events.list({"type": COMPLETED}).data
    assert events.retrieve(event.id).data.object["id"] == session.id
    assert len(events.list({"types": [COMPLETED, "customer.created"]}).data) == 2
    until(lambda: not events.list({"delivery_success": False}).data)


def test_twice(seller: StripeEmulator, told: Shop) -> None:
    seller.pay(seller.order("p1", "buyer+twice@example.com"))
    until(lambda: len(completed(told)) == 2)
    assert len({each.event["id"] for each in completed(told)}) == 1
    until(lambda: set(Counter(told.kinds("p1")).values()) == {2})


def test_late(seller: StripeEmulator, told: Shop) -> None:
    begun = time.monotonic()
    session = seller.order("p1", "buyer+late=1@example.com")
    seller.pay(session)
    assert time.monotonic() - begun >= 1  # it waits for the shop's answer
    assert completed(told)


def test_lost(seller: StripeEmulator, told: Shop) -> None:
    seller.pay(seller.order("p1", "buyer+lost@example.com"))
    time.sleep(0.3)
    assert told.kinds("p1") == []
    log = seller.payment("p1")["deliveries"]
    assert log
    assert {each["problem"] for each in log} == {"lost"}
    assert seller.payment("p1")["taken"] == 2500


def test_disorder(seller: StripeEmulator, told: Shop) -> None:
    seller.pay(seller.order("p1", "buyer+disorder@example.com"))
    until(lambda: completed(told))
    kinds = told.kinds("p1")
    assert kinds.index("charge.refunded") < kinds.index(COMPLETED)
    assert seller.payment("p1")["refunded"] == 2500


@pytest.mark.parametrize("scenario", ["forged", "replayed", "othermode"])
def test_a_false_one_comes_beside_the_real_one(
    seller: StripeEmulator, told: Shop, scenario: str
) -> None:
    seller.pay(seller.order("p1", f"buyer+{scenario}@example.com"))
    until(lambda: len(completed(told)) == 2)
    both = completed(told)
    genuine = [each for each in both if is_genuine(each)]
    if scenario == "othermode":
        assert sorted(each.event["livemode"] for each in both) == [False, True]
        assert len(genuine) == 2
    else:
        assert len(genuine) == 1
        assert {each.event["livemode"] for each in both} == {False}


def test_before_the_answer(seller: StripeEmulator, told: Shop) -> None:
    session = seller.order("p1", "buyer+before-answer@example.com")
    assert completed(told)
    assert (session.status, session.payment_status) == ("complete", "paid")
