"""Retry, recover and test, asked for by the API and seen by the receiver."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import httpx
import pytest
from django.utils import timezone

from events.models import AttemptError, WebhookAttempt, WebhookDelivery
from generation.models.states import State
from tests.support.bring_to import reached
from tests.support.people import Person
from tests.support.receiver import Receiver
from tests.webhooks.conftest import Deliver
from webhooks import ending
from webhooks.send import Answer
from webhooks.stage import DeliverStage

ENDPOINTS = "/api/v1/webhook-endpoints/"


class Customer:
    """Alice's program with one endpoint, and the receiver behind it."""

    def __init__(self, http: httpx.Client, hooks: Receiver, person: Person) -> None:
        self.http, self.hooks, self.person = http, hooks, person
        made = http.post(ENDPOINTS, json={"url": hooks.hook("alice")})
        assert made.status_code == 201, made.text
        hooks.configure("alice", made.json()["secret"])
        self.secret = made.json()["secret"]
        self.path = f"{ENDPOINTS}{made.json()['id']}/"

    def plays(self, scenario: str) -> None:
        self.hooks.configure("alice", self.secret, scenario=scenario)

    def ends(self, count: int = 1) -> list[str]:
        """So many ends; the ids of their events, as they are shown."""
        ended = [reached(self.person, State.CANCELED, model="image").pk for _ in range(count)]
        events = self.http.get("/api/v1/events/", params={"limit": 100}).json()["results"]
        shown = {event["data"]["id"]: event["id"] for event in events}
        return [shown[str(each)] for each in ended]

    def got(self) -> list[str]:
        found = self.hooks.received("alice")
        assert all(each["verified"] for each in found)
        return [each["id"] for each in found]

    def post(self, path: str, **body: Any) -> dict[str, Any]:
        answer = self.http.post(f"{self.path}{path}", json=body)
        assert answer.status_code == 202, answer.text
        return dict(answer.json())

    def deliveries(self, **query: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.http.get(f"{self.path}deliveries/", params=query).json()[
            "results"
        ]
        return found


@pytest.fixture
def customer(api: Callable[..., httpx.Client], hooks: Receiver, alice: Person) -> Customer:
    return Customer(api(alice.key), hooks, alice)


def test_what_succeeded_is_sent_once_more_with_the_same_id(
    customer: Customer, deliver: Deliver
) -> None:
    (event,) = customer.ends()
    assert deliver() == 1
    (delivery,) = customer.deliveries(status="succeeded")
    again = customer.post(f"deliveries/{delivery['id']}/retry/")
    assert (again["status"], again["attempts_made"]) == ("pending", 1)
    assert deliver() == 1
    assert customer.got() == [event, event]
    (delivery,) = customer.deliveries(status="succeeded")
    assert delivery["attempts_made"] == 2
    assert WebhookAttempt.objects.count() == 2


def test_one_that_is_sent_again_while_it_is_under_way_comes_twice(
    customer: Customer, deliver: Deliver
) -> None:
    """Whoever was sending it writes nothing, and the second attempt is the first that counts."""
    (event,) = customer.ends()
    (delivery,) = customer.deliveries(status="pending")
    stage = DeliverStage()
    (claimed,) = stage.claim(10)
    customer.post(f"deliveries/{delivery['id']}/retry/")
    ending.attempted(claimed, Answer(500, AttemptError.HTTP_STATUS, 100))
    assert WebhookAttempt.objects.count() == 0
    assert deliver() == 1
    assert customer.got() == [event]
    assert customer.deliveries()[0]["status"] == "succeeded"


def test_what_failed_and_what_found_it_switched_off_is_recovered(
    customer: Customer, deliver: Deliver
) -> None:
    since = (timezone.now() - timedelta(minutes=1)).isoformat()
    (before,) = customer.ends()
    assert deliver() == 1
    customer.plays("410")
    failed = customer.ends(2)
    assert deliver() == 2
    assert customer.http.get(customer.path).json()["disabled_reason"] == "gone"
    missed = customer.ends(2)
    refused = customer.http.post(f"{customer.path}recover/", json={"since": since})
    assert (refused.status_code, refused.json()["code"]) == (409, "webhook_endpoint_disabled")
    customer.plays("fine")
    assert customer.http.patch(customer.path, json={"enabled": True}).status_code == 200
    assert deliver() == 0
    recovered = customer.post("recover/", since=since)
    assert (recovered["count"], recovered["has_more"]) == (4, False)
    assert deliver() + deliver() == 4  # two at a time
    assert customer.got()[:1] == [before]
    assert sorted(customer.got()[3:]) == sorted([*failed, *missed])
    assert {each["status"] for each in customer.deliveries()} == {"succeeded"}
    assert customer.post("recover/", since=since)["count"] == 0


def test_a_test_arrives_and_is_no_event_of_the_list(customer: Customer, deliver: Deliver) -> None:
    asked = customer.post("test/")
    assert deliver() == 1
    assert customer.got() == [asked["event_id"]]
    assert customer.http.get("/api/v1/events/").json()["results"] == []
    shown = customer.http.get(customer.path).json()["last_delivery"]
    assert shown["status"] == "succeeded"
    assert WebhookDelivery.objects.get().type == "webhook_endpoint.test"
