"""Tests, deliveries, sending again and recovering, by their routes."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import httpx
import pytest
from django.utils import timezone

from common.times import with_z
from events.models import Event, WebhookAttempt, WebhookDelivery
from generation.models.states import State
from tests.contract.answers import error
from tests.support.bring_to import reached
from tests.support.document import fits
from tests.support.people import Person
from tests.webhooks.api.conftest import ENDPOINTS, URL, deliveries, make
from webhooks import history, limits

ONE = f"{ENDPOINTS}{{endpoint_id}}/"
LIST = f"{ONE}deliveries/"
DELIVERY = f"{LIST}{{delivery_id}}/"
SINCE = {"since": "2020-01-01T00:00:00Z"}
LINKS = ("video_url", "image_url", "expires_at")
FIELDS = [
    *("id", "event_id", "type", "generation_id", "url", "status", "failed_reason"),
    *("attempts_made", "next_attempt_at", "last_status_code", "last_error", "created_at"),
    "finished_at",
]


def end(**columns: Any) -> None:
    """Let all deliveries have failed, or be as ``columns`` say."""
    failed = {"state": "failed", "failed_reason": "exhausted", "last_error": "timeout"}
    over = {"next_attempt_at": None, "finished_at": timezone.now()}
    WebhookDelivery.objects.update(**failed | over | columns)


def to_an_order(person: Person, state: State = State.CANCELED) -> WebhookDelivery:
    """What an order's ``webhook_url`` is sent."""
    event = Event.objects.get(generation_id=reached(person, state, model="image").pk)
    return WebhookDelivery.objects.create(
        event=event,
        account=person.account,
        url=f"{URL}&order",
        target=person.account.pk,
        type=event.type,
        next_attempt_at=timezone.now(),
    )


def test_a_test_is_listed_for_its_endpoint_alone(client: httpx.Client) -> None:
    made, other = make(client, enabled=False), make(client)
    answer = client.post(f"{ENDPOINTS}{made['id']}/test/")
    body = fits(answer, f"{ONE}test/", 202)
    assert list(body) == ["success", "delivery_id", "event_id"]
    (row,) = deliveries(client, made["id"])
    assert list(row) == FIELDS
    assert (row["id"], row["event_id"]) == (body["delivery_id"], body["event_id"])
    assert (row["type"], row["generation_id"]) == ("webhook_endpoint.test", None)
    assert (row["status"], row["url"]) == ("pending", URL)
    assert deliveries(client, other["id"]) == deliveries(client, "default") == []
    one = client.get(f"{ENDPOINTS}{made['id']}/deliveries/{row['id']}/")
    payload = fits(one, DELIVERY, 200)["payload"]
    assert payload["data"] == {"webhook_endpoint_id": made["id"], "message": "This is a test"}
    assert (payload["id"], payload["type"]) == (body["event_id"], "webhook_endpoint.test")
    assert client.get("/api/v1/events/").json()["results"] == []
    after = client.get(f"/api/v1/events/?after={body['event_id']}")
    error(after, 400, "invalid_request")


@pytest.mark.parametrize("state", [State.COMPLETED, State.FAILED, State.CANCELED])
def test_a_delivery_shows_what_would_be_sent(
    state: State, client: httpx.Client, alice: Person
) -> None:
    made = make(client)
    generation = reached(alice, state)
    (row,) = deliveries(client, made["id"])
    body = fits(client.get(f"{ENDPOINTS}{made['id']}/deliveries/{row['id']}/"), DELIVERY, 200)
    assert list(body) == ["success", *FIELDS, "attempts", "payload"]
    assert {name: body[name] for name in FIELDS} == row
    assert row["type"] == f"generation.{state}"
    assert row["generation_id"] == str(generation.pk)
    assert body["attempts"] == []
    (event,) = client.get("/api/v1/events/").json()["results"]
    assert row["event_id"] == event["id"]
    for each in (event, body["payload"]):
        each["data"] |= dict.fromkeys(LINKS)
    assert body["payload"] == event


def test_attempts_are_the_last_50_oldest_first(client: httpx.Client, alice: Person) -> None:
    made = make(client)
    reached(alice, State.CANCELED)
    delivery = WebhookDelivery.objects.get()
    now = timezone.now()
    WebhookAttempt.objects.bulk_create(
        WebhookAttempt(
            delivery=delivery,
            number=number,
            at=now + timedelta(seconds=number),
            duration_ms=100,
            status_code=None if number % 2 else 500,
            error="timeout" if number % 2 else "http_status",
        )
        for number in range(1, 53)
    )
    path = f"{ENDPOINTS}{made['id']}/deliveries/{deliveries(client, made['id'])[0]['id']}/"
    attempts = fits(client.get(path), DELIVERY, 200)["attempts"]
    assert len(attempts) == 50
    assert attempts[0] == {
        "at": with_z(now + timedelta(seconds=3)),
        "duration_ms": 100,
        "status_code": None,
        "error": "timeout",
    }
    assert attempts == sorted(attempts, key=lambda each: each["at"])


def test_filters_and_pages(client: httpx.Client, alice: Person) -> None:
    made = make(client)
    for state in (State.CANCELED, State.FAILED, State.CANCELED):
        reached(alice, state, model="image")
    end()
    client.post(f"{ENDPOINTS}{made['id']}/test/")
    reached(alice, State.CANCELED, model="image")
    everything = deliveries(client, made["id"])
    times = [row["created_at"] for row in everything]
    assert times == sorted(times, reverse=True)
    assert len(times) == 5
    for query in (
        {"status": "failed"},
        {"status": "pending"},
        {"status": "succeeded"},
        {"type": "generation.canceled"},
        {"type": "webhook_endpoint.test"},
        {"type": "generation.canceled", "status": "failed"},
    ):
        wanted = [row for row in everything if query.items() <= row.items()]
        assert deliveries(client, made["id"], **query) == wanted, query
        first = client.get(f"{ENDPOINTS}{made['id']}/deliveries/", params=query | {"limit": "1"})
        body = fits(first, LIST, 200)
        assert body["count"] == len(wanted)
        found = body["results"]
        while body["next"] is not None:
            body = client.get(body["next"]).json()
            found += body["results"]
        assert found == wanted, query
    for bad, sentence in (
        ("status=open", "Invalid status. Must be one of: pending, succeeded, failed"),
        (
            "type=*",
            f"Invalid type. Must be one of: {', '.join(history.TYPES)}",
        ),
    ):
        answer = client.get(f"{ENDPOINTS}{made['id']}/deliveries/?{bad}")
        assert error(answer, 400, "invalid_request")["error"] == sentence


def test_default_is_what_went_to_orders(client: httpx.Client, alice: Person, bob: Person) -> None:
    to_an_order(bob)
    delivery = to_an_order(alice)
    (row,) = deliveries(client, "default")
    assert row["id"] == f"dlv_{delivery.pk.hex}"
    assert row["url"] == f"{URL}&order"
    path = f"{ENDPOINTS}default/deliveries/{row['id']}/"
    body = fits(client.get(path), DELIVERY, 200)
    assert body["payload"]["data"]["status"] == "canceled"
    end()
    again = fits(client.post(f"{path}retry/"), f"{DELIVERY}retry/", 202)
    assert (again["id"], again["status"]) == (row["id"], "pending")
    for verb in ("test/", "recover/", "rotate-secret/", ""):
        method = "POST" if verb else "GET"
        answer = client.request(method, f"{ENDPOINTS}default/{verb}", json=SINCE)
        error(answer, 404, "not_found")


def test_again(client: httpx.Client, alice: Person) -> None:
    made = make(client)
    reached(alice, State.CANCELED)
    for columns in ({}, {"state": "succeeded", "failed_reason": "", "last_error": ""}):
        end(attempts_made=3, **columns)
        (row,) = deliveries(client, made["id"])
        path = f"{ENDPOINTS}{made['id']}/deliveries/{row['id']}/retry/"
        body = fits(client.post(path), f"{DELIVERY}retry/", 202)
        assert (body["status"], body["failed_reason"], body["finished_at"]) == ("pending",) + (
            None,
        ) * 2
        assert (body["event_id"], body["attempts_made"]) == (row["event_id"], 3)
        assert body["next_attempt_at"] is not None
    assert client.post(path).status_code == 202, "also while it is pending"
    client.patch(f"{ENDPOINTS}{made['id']}/", json={"enabled": False})
    refused = client.post(path)
    fits(refused, f"{DELIVERY}retry/", 409)
    error(refused, 409, "webhook_endpoint_disabled")
    assert WebhookDelivery.objects.get().failed_reason == "endpoint_disabled"


def test_a_delivery_belongs_to_its_endpoint(client: httpx.Client, alice: Person) -> None:
    made, other = make(client), make(client, event_types=["generation.failed"])
    delivery = to_an_order(alice)
    (row,) = deliveries(client, made["id"])
    order = f"dlv_{delivery.pk.hex}"
    for endpoint, name in (
        (other["id"], row["id"]),
        ("default", row["id"]),
        (made["id"], order),
        (made["id"], row["id"].removeprefix("dlv_")),
        (made["id"], f"{row['id']}0"),
        (made["id"], f"dlv_{'0' * 32}"),
        (made["id"], "dlv_%00"),
    ):
        path = f"{ENDPOINTS}{endpoint}/deliveries/{name}/"
        error(client.get(path), 404, "not_found")
        error(client.post(f"{path}retry/"), 404, "not_found")


def test_recovering(client: httpx.Client, alice: Person) -> None:
    made = make(client)
    path = f"{ENDPOINTS}{made['id']}/"
    reached(alice, State.CANCELED, model="image")
    client.patch(path, json={"enabled": False})
    answer = client.post(f"{path}recover/", json=SINCE)
    error(answer, 409, "webhook_endpoint_disabled")
    reached(alice, State.FAILED, model="image")
    client.patch(path, json={"enabled": True})
    nothing = SINCE | {"until": "2021-01-01T00:00:00+01:00"}
    answer = client.post(f"{path}recover/", json=nothing)
    assert fits(answer, f"{ONE}recover/", 202)["count"] == 0
    answer = client.post(f"{path}recover/", json=SINCE | {"until": None})
    body = fits(answer, f"{ONE}recover/", 202)
    assert body == {"success": True, "count": 2, "has_more": False}
    assert [row["status"] for row in deliveries(client, made["id"])] == ["pending"] * 2
    again = client.post(f"{path}recover/", json=SINCE).json()
    assert again == {"success": True, "count": 0, "has_more": False}


@pytest.mark.parametrize(
    ("said", "field", "sentence"),
    [
        ({}, "since", "Since is required"),
        ({"since": None}, "since", "Since is required"),
        ({"since": "yesterday"}, "since", "Since must be a time as in RFC 3339, such as"),
        ({"since": 1795932000}, "since", "Since must be a time as in RFC 3339, such as"),
        ({"since": "2026-11-29T06:00:00"}, "since", "Since must be a time as in RFC 3339, such"),
        (SINCE | {"until": "x"}, "until", "Until must be a time as in RFC 3339, such as"),
        (SINCE | {"until": "2019-01-01T00:00:00Z"}, "since", "Since must not be after until"),
        ({"since": "2999-01-01T00:00:00Z"}, "since", "Since must not be after until"),
        ({"since": "0001-01-01T00:00:00+23:59"}, "since", "Since must be a time in the years"),
    ],
)
def test_times_that_are_none(
    said: dict[str, Any], field: str, sentence: str, client: httpx.Client
) -> None:
    path = f"{ENDPOINTS}{make(client)['id']}/recover/"
    body = error(client.post(path, json=said), 400, "invalid_request")
    assert body["error"].startswith(sentence)
    assert list(body["details"]) == [field]


def test_the_first_and_the_last_year(client: httpx.Client, alice: Person) -> None:
    path = f"{ENDPOINTS}{make(client)['id']}/recover/"
    reached(alice, State.CANCELED)
    end()
    said = {"since": "0001-01-01T00:00:00Z", "until": "9999-12-31T23:59:59Z"}
    assert client.post(path, json=said).json()["count"] == 1


def test_so_many_a_minute_an_account(
    client: httpx.Client, bobs: httpx.Client, alice: Person
) -> None:
    one, other = (f"{ENDPOINTS}{make(client)['id']}/" for _ in range(2))
    statuses = [client.post(f"{path}test/").status_code for path in (one, other) * 5]
    assert statuses == [202] * limits.TESTS
    refused = client.post(f"{other}test/")
    error(refused, 429, "rate_limited")
    assert 0 < int(refused.headers["Retry-After"]) <= 60
    assert WebhookDelivery.objects.count() == limits.TESTS
    theirs = f"{ENDPOINTS}{make(bobs)['id']}/"
    assert bobs.post(f"{theirs}test/").status_code == 202
    row = client.get(f"{one}deliveries/").json()["results"][0]
    retry = f"{one}deliveries/{row['id']}/retry/"
    statuses = [client.post(retry).status_code for _ in range(limits.RETRIES)]
    assert statuses == [202] * 60
    for path, body in ((retry, None), (f"{one}recover/", SINCE)):
        refused = client.post(path, json=body)
        error(refused, 429, "rate_limited")
        assert "Retry-After" in refused.headers
