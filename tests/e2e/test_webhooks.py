"""Webhooks on real processes: from an order to a receiver, and over the death of who sends."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from typing import Any

import httpx
import psutil
import psycopg
import pytest

from dev.embedded.processes import wait_until
from dev.embedded.stack import Stack
from tests.e2e.customer import IMAGE, VIDEO, Customer
from tests.support.receiver import Receiver

ENDPOINTS = "/api/v1/webhook-endpoints/"
LINKS = {"video_url", "image_url", "expires_at"}
SOON = 5.0  # seconds, from an end to its webhook; a free machine needs a few tenths of one


@pytest.fixture
def hooks(stack: Stack) -> Iterator[Receiver]:
    assert stack.receiver_url is not None
    with httpx.Client(base_url=stack.receiver_url, timeout=10) as http:
        yield Receiver(stack.receiver_url, http)


class Endpoint:
    """A receiver of the customer's, in a box of its own."""

    def __init__(self, customer: Customer, hooks: Receiver, scenario: str = "") -> None:
        self.box = f"box-{uuid.uuid4().hex}"
        self._http, self._hooks = customer.http, hooks
        made = self._http.post(ENDPOINTS, json={"url": hooks.hook(self.box, scenario)})
        assert made.status_code == 201, made.text
        self.path = f"{ENDPOINTS}{made.json()['id']}/"
        hooks.configure(self.box, made.json()["secret"])

    def got(self, count: int = 1) -> list[dict[str, Any]]:
        """What has arrived, once there is so much; all of it verified."""
        found = self._hooks.wait(self.box, count, 30)
        assert [each["why"] for each in found if not each["verified"]] == []
        return found

    def deliveries(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self._http.get(f"{self.path}deliveries/").json()["results"]
        return found

    def close(self) -> None:
        assert self._http.delete(self.path).status_code == 204


def test_an_order_ends_in_a_webhook(stack: Stack, rich: Customer, hooks: Receiver) -> None:
    endpoint, box = Endpoint(rich, hooks), f"order-{uuid.uuid4().hex}"
    default = rich.http.get(f"{ENDPOINTS}default-secret/").json()
    hooks.configure(box, default["secret"])
    generation_id = rich.create(VIDEO, "Tell me", webhook_url=hooks.hook(box))
    status = rich.finished(generation_id)
    (got,), (of_order,) = endpoint.got(), hooks.wait(box)
    assert of_order["verified"], of_order["why"]
    assert got["id"] == of_order["id"]
    told = json.loads(got["body"])
    assert told["type"] == "generation.completed"
    assert told["data"] | dict.fromkeys(LINKS) == status | dict.fromkeys(LINKS)
    assert told["data"]["video_url"].startswith(stack.base_url)
    assert httpx.get(told["data"]["video_url"]).status_code == 200
    ended = rich.http.get("/api/v1/events/", params={"after": "latest"}).json()["cursor"]
    assert ended == got["id"]
    assert got["at"] - told["created_at"] < SOON + 1  # which is in whole seconds
    assert wait_until(lambda: endpoint.deliveries()[0]["status"] == "succeeded", 10)
    endpoint.close()


def test_whoever_sends_dies_after_the_post(stack: Stack, rich: Customer, hooks: Receiver) -> None:
    endpoint = Endpoint(rich, hooks, "hang=1")
    generation_id = rich.create(IMAGE, "Told twice")
    rich.finished(generation_id)
    (first,) = endpoint.got()
    for child in psutil.Process(stack.processes.children["deliver"].pid).children(recursive=True):
        child.kill()
    with psycopg.connect(stack.owner_url, autocommit=True) as connection:  # its lease is over
        connection.execute(
            "UPDATE events_webhookdelivery SET next_attempt_at = now()"
            " WHERE next_attempt_at IS NOT NULL AND event_id = %s",
            [uuid.UUID(first["id"].removeprefix("evt_"))],
        )
    again = endpoint.got(2)
    assert [each["id"] for each in again] == [first["id"]] * 2
    assert wait_until(lambda: endpoint.deliveries()[0]["status"] == "succeeded", 10)
    (delivery,) = endpoint.deliveries()
    assert (delivery["attempts_made"], delivery["last_status_code"]) == (1, 200)
    endpoint.close()


def test_a_receiver_that_fails_is_tried_again(
    stack: Stack, rich: Customer, hooks: Receiver
) -> None:
    endpoint = Endpoint(rich, hooks, "500=1+301=1")
    rich.finished(rich.create(IMAGE, "Told in the end"))
    got = endpoint.got(3)
    assert {each["id"] for each in got} == {got[0]["id"]}
    assert wait_until(lambda: endpoint.deliveries()[0]["status"] == "succeeded", 10)
    path = f"{endpoint.path}deliveries/{endpoint.deliveries()[0]['id']}/"
    attempts = rich.http.get(path).json()["attempts"]
    assert [each["error"] for each in attempts] == ["http_status", "redirect", None]
    endpoint.close()
