"""Stripe's SDK for Node: a second opinion of the signatures."""

from __future__ import annotations

import json
import subprocess
import time
from pathlib import Path
from typing import Any

import stripe

from dev.stripe.delivery import sign
from tests.support.stripe_works import WEBHOOK_SECRET, Shop, StripeEmulator, until
from tests.system.stripe.conftest import CLIENTS

REFUSED = "StripeSignatureVerificationError"


def under_node(deliveries: list[tuple[str, str]]) -> dict[str, Any]:
    """What Node's SDK says of each raw body and signature."""
    asked = {
        "secret": WEBHOOK_SECRET,
        "deliveries": [{"raw": raw, "signature": signature} for raw, signature in deliveries],
    }
    done = subprocess.run(
        ["node", str(Path(__file__).with_name("verify.mjs")), str(CLIENTS)],
        input=json.dumps(asked),
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return dict(json.loads(done.stdout))


def test_node_takes_what_was_delivered(seller: StripeEmulator, told: Shop) -> None:
    seller.pay(seller.order("p1", "Jürgen+twice@example.com"))
    until(lambda: len(told.told) >= 8)
    so_far = list(told.told)  # more may come meanwhile
    deliveries = [(each.raw.decode(), each.signature) for each in so_far]
    answer = under_node(deliveries)
    assert answer["version"] == "23.1.0"
    assert answer["verdicts"] == [each.event["type"] for each in so_far]
    changed = [(raw.replace("2500", "2501"), signature) for raw, signature in deliveries]
    touched = [each for each, (raw, _) in zip(changed, deliveries, strict=True) if each[0] != raw]
    assert touched
    assert set(under_node(touched)["verdicts"]) == {REFUSED}


def test_both_sides_agree_on_old_and_foreign_ones() -> None:
    body, now = '{"object": "event", "type": "a"}', int(time.time())
    deliveries = [
        (body, sign(body, [WEBHOOK_SECRET], now)),
        (body, sign(body, ["whsec_old", WEBHOOK_SECRET], now)),
        (body, sign(body, [WEBHOOK_SECRET], now - 301)),
        (body, sign(body, ["whsec_other"], now)),
        (body, ""),
    ]
    answer = under_node(deliveries)
    assert answer["verdicts"] == ["a", "a", REFUSED, REFUSED, REFUSED]
    for (raw, signature), verdict in zip(deliveries, answer["verdicts"], strict=True):
        assert is_genuine(raw, signature) == (verdict != REFUSED)
    # And what Node signs Python takes, in the form that ours has.
    signed = answer["signed"]
    assert is_genuine(signed["payload"], signed["header"])
    moment = int(signed["header"].partition(",")[0].removeprefix("t="))
    assert signed["header"] == sign(signed["payload"], [WEBHOOK_SECRET], moment)


def is_genuine(raw: str, signature: str) -> bool:
    try:
        stripe.WebhookSignature.verify_header(raw, signature, WEBHOOK_SECRET, 300)
    except stripe.SignatureVerificationError:
        return False
    return True
