"""Live deliveries, as customers' programs take them: those of docs/webhooks.md, and libraries."""

from __future__ import annotations

import itertools
import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from openai import OpenAI
from standardwebhooks import Webhook

from dev.embedded.stack import Stack
from tests.e2e.conftest import CREDITS
from tests.e2e.customer import IMAGE, VIDEO, Customer
from tests.support.receiver import Receiver
from tests.support.verifiers import LIBRARIES, OF_THE_PAGE, PAGE, Verifier, snippet
from webhooks import signing

ENDPOINTS = "/api/v1/webhook-endpoints/"
SIGNED = ("webhook-id", "webhook-timestamp", "webhook-signature")
ALL = {**OF_THE_PAGE, **LIBRARIES}
_boxes = itertools.count()


@dataclass(frozen=True, slots=True)
class Live:
    """What came to a receiver: the secret that it knows, and the request."""

    secret: str
    headers: dict[str, str]
    body: bytes


@pytest.fixture(scope="module")
def hooks(stack: Stack) -> Iterator[Receiver]:
    with httpx.Client(base_url=str(stack.receiver_url), timeout=10) as http:
        yield Receiver(str(stack.receiver_url), http)


@pytest.fixture(scope="module")
def customer(stack: Stack) -> Iterator[Customer]:
    """Whose ends are told: nobody else's tests order anything for them."""
    options = ("--credits", str(CREDITS), "--skip-checks")
    key = json.loads(stack.manage("create_account", "told@example.com", *options))["key"]
    made = Customer(stack, key)
    yield made
    made.http.close()


def listen(customer: Customer, hooks: Receiver, **fields: Any) -> tuple[str, dict[str, Any]]:
    """A box of the receiver's, and the endpoint that leads there."""
    box = f"e2e-{next(_boxes)}"
    answer = customer.http.post(ENDPOINTS, json={"url": hooks.hook(box), **fields})
    assert answer.status_code == 201, answer.text
    hooks.configure(box, answer.json()["secret"])
    return box, answer.json()


def live(secret: str, got: dict[str, Any]) -> Live:
    assert got["verified"] is True, got
    return Live(secret, {name: got["headers"][name] for name in SIGNED}, got["body"].encode())


@pytest.fixture(scope="module")
def delivery(customer: Customer, hooks: Receiver) -> Live:
    """The end of a video, sent to an endpoint."""
    box, endpoint = listen(customer, hooks)
    ended = customer.finished(customer.create(VIDEO, "A kite over the sea"))
    (got,) = hooks.wait(box)
    told = json.loads(got["body"])["data"]
    assert {name for name in told if told[name] != ended[name]} <= {"video_url", "expires_at"}
    return live(endpoint["secret"], got)


@pytest.mark.parametrize("verify", ALL.values(), ids=ALL)
def test_a_delivery_is_verified_and_what_is_not_ours_is_not(
    delivery: Live, verify: Verifier
) -> None:
    secret, headers, body = delivery.secret, delivery.headers, delivery.body
    assert verify(secret, headers, body)
    assert not verify(signing.new_secret(), headers, body)
    assert not verify(secret, headers, body.replace(b"completed", b"completeD", 1))
    forged = signing.signature(signing.new_secret(), headers["webhook-id"], 0, body)
    assert not verify(secret, headers | {"webhook-signature": forged}, body)
    for age in (301, -302):  # signed by us, at another time
        moment = datetime.now(tz=UTC) - timedelta(seconds=age)
        stamp = str(int(moment.timestamp()))
        entry = Webhook(secret).sign(headers["webhook-id"], moment, body.decode())
        old = headers | {"webhook-timestamp": stamp, "webhook-signature": entry}
        assert not verify(secret, old, body), age


def test_the_official_client_of_openai_reads_it(delivery: Live) -> None:
    client = OpenAI(api_key="none", webhook_secret=delivery.secret)
    event: Any = client.webhooks.unwrap(delivery.body, delivery.headers)
    assert (event.type, event.object) == ("generation.completed", "event")
    assert event.id == delivery.headers["webhook-id"]
    assert event.created_at == json.loads(delivery.body)["created_at"]


def test_during_a_rotation_each_secret_alone_verifies(customer: Customer, hooks: Receiver) -> None:
    box, endpoint = listen(customer, hooks)
    place = f"{ENDPOINTS}{endpoint['id']}/"
    rotated = customer.http.post(f"{place}rotate-secret/", json={})
    assert rotated.status_code == 200, rotated.text
    assert customer.http.post(f"{place}test/").status_code == 202
    (got,) = hooks.wait(box)
    assert len(got["headers"]["webhook-signature"].split()) == 2
    for secret in (endpoint["secret"], rotated.json()["secret"]):
        sent = live(secret, got)
        assert all(verify(secret, sent.headers, sent.body) for verify in ALL.values())


def test_the_url_of_an_order_gets_its_event_signed_with_the_default_secret(
    customer: Customer, hooks: Receiver
) -> None:
    secret = customer.http.get(f"{ENDPOINTS}default-secret/").json()["secret"]
    box = f"e2e-{next(_boxes)}"
    hooks.configure(box, secret)
    order = customer.create(IMAGE, "A kite", webhook_url=hooks.hook(box, "500=1"))
    other = customer.create(IMAGE, "A kite")
    for generation in (order, other):
        customer.finished(generation)
    first, second = hooks.wait(box, 2)
    assert first["headers"]["webhook-id"] == second["headers"]["webhook-id"]
    assert json.loads(second["body"])["data"]["generation_id"] == order
    assert live(secret, second).body == second["body"].encode()
    listed = customer.http.get("/api/v1/events/").json()["results"]
    assert json.loads(second["body"])["id"] in {event["id"] for event in listed}


def test_the_quick_start_of_the_page_runs(
    stack: Stack, customer: Customer, hooks: Receiver
) -> None:
    """Its lines of curl, with addresses of here."""
    box = f"e2e-{next(_boxes)}"
    start = PAGE.partition("## Quick start")[2].partition("\n## ")[0]
    lines = re.findall(r"^```\n(curl .*?)^```$", start, re.MULTILINE | re.DOTALL)
    assert len(lines) == 2
    secret = customer.http.headers["Authorization"].removeprefix("Bearer ")
    known = {"BASE": stack.base_url, "KEY": secret}
    made = bash(lines[0].replace("https://example.com/hooks/video", hooks.hook(box)), known)
    hooks.configure(box, made["secret"])
    tested = bash(lines[1], known | {"ID": made["id"]})
    (got,) = hooks.wait(box)
    assert (got["id"], got["verified"]) == (tested["event_id"], True)


def test_the_page_s_stream_follows_a_video_to_its_end(stack: Stack, customer: Customer) -> None:
    if shutil.which("node") is None:
        pytest.skip("node is not installed")
    order = customer.create(VIDEO, "A kite that is followed")
    source = snippet("js", "function* follow") + FOLLOW
    secret = customer.http.headers["Authorization"].removeprefix("Bearer ")
    done = node(source, BASE=stack.base_url, KEY=secret, ID=order)
    told = [json.loads(line) for line in done.splitlines()]
    assert told[-1]["status"] == "completed"
    assert {status["status"] for status in told[:-1]} <= {"processing"}
    assert node(source, BASE=stack.base_url, KEY="rmk_wrong", ID=order) == "401\n"


FOLLOW = """
const { BASE, KEY, ID } = process.env;
try {
  for await (const status of follow(BASE, KEY, ID)) console.log(JSON.stringify(status));
} catch (error) {
  console.log(error.refused ? 401 : error);
}
"""


def node(source: str, **known: str) -> str:
    argv = ["node", "--input-type=module", "-e", source]
    done = subprocess.run(
        argv, env=os.environ | known, capture_output=True, text=True, check=True, timeout=60
    )
    return done.stdout


def bash(line: str, known: dict[str, str]) -> dict[str, Any]:
    done = subprocess.run(
        ["bash", "-c", line], env=os.environ | known, capture_output=True, text=True, check=True
    )
    found: dict[str, Any] = json.loads(done.stdout)
    return found
