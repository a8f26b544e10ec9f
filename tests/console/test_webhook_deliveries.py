"""What was sent, in a browser: attempts in words, a test, and sending again."""

from __future__ import annotations

import html
import json
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from events.models import TEST, AttemptError, DeliveryState, WebhookDelivery
from generation.models.states import State
from tests.support.bring_to import reached
from tests.support.console import browser
from tests.support.people import Person
from tests.support.webhook_rows import (
    a_delivery,
    an_attempt,
    an_endpoint,
    switched_off,
)


@pytest.fixture
def client(alice: Person) -> Client:
    return browser(alice.user)


def path(person: Person, *more: object) -> str:
    return f"/c/{person.account.pk}/webhooks/" + "".join(f"{each}/" for each in more)


def payload_of(page: Any) -> dict[str, Any]:
    text = html.unescape(page.text.rpartition('<pre class="code" tabindex="0">')[2])
    body: dict[str, Any] = json.loads(text.partition("</pre>")[0])
    return body


def test_one_with_its_attempts(client: Client, alice: Person, api: Any) -> None:
    generation = reached(alice, State.CANCELED)
    delivery = a_delivery(an_endpoint(alice), DeliveryState.FAILED, of=generation)
    for number, error in enumerate(("", *AttemptError.values)):
        an_attempt(delivery, number, error=error, status_code=503 if error else 204)
    page = client.get(path(alice, "sent", delivery.pk))
    said = [each.said for each in page.context["attempts"]]
    assert said == [
        "answered 204",
        "no answer within 15 seconds",
        "no connection",
        "no secure connection: look at the certificate",
        "answered 503",
        "answered 503: redirects are not followed",
        "a fault of ours",
    ]
    assert "All ten attempts failed." in page.text
    told = payload_of(page)
    status = api(alice.key).get(f"/api/v1/generate/{generation.pk}/").json()
    assert told["id"] == f"evt_{delivery.event_id.hex}"
    assert told["data"] == status


def test_a_test_is_sent(client: Client, alice: Person) -> None:
    for endpoint in (an_endpoint(alice), switched_off(alice)):
        answer = client.post(path(alice, endpoint.pk, "test"))
        sent = WebhookDelivery.objects.get(target=endpoint.pk)
        assert (answer.status_code, answer["Location"]) == (303, path(alice, "sent", sent.pk))
        assert (sent.event.type, sent.state) == (TEST, DeliveryState.PENDING)
        page = client.get(path(alice, "sent", sent.pk))
        assert "Nothing was sent yet." in page.text
        assert payload_of(page)["type"] == TEST


def test_ten_tests_a_minute(client: Client, alice: Person, api: Any) -> None:
    endpoint = an_endpoint(alice)
    answers = [client.post(path(alice, endpoint.pk, "test")).status_code for _ in range(11)]
    assert answers == [303] * 10 + [429]
    assert WebhookDelivery.objects.count() == 10


@pytest.mark.parametrize("state", list(DeliveryState))
def test_sending_again(client: Client, alice: Person, state: DeliveryState) -> None:
    generation = reached(alice, State.CANCELED)
    for to in (alice, an_endpoint(alice)):
        row = a_delivery(to, state, of=generation, attempts_made=2)
        assert "Send again" in client.get(path(alice, "sent", row.pk)).text
        answer = client.post(path(alice, "sent", row.pk, "again"))
        assert (answer.status_code, answer["Location"]) == (303, path(alice, "sent", row.pk))
        row.refresh_from_db()
        assert (row.state, row.attempts_made) == (DeliveryState.PENDING, 2)
        assert row.next_attempt_at is not None
        assert row.next_attempt_at <= timezone.now()


def test_nothing_is_sent_again_to_what_is_off(client: Client, alice: Person) -> None:
    generation = reached(alice, State.CANCELED)
    row = a_delivery(switched_off(alice), DeliveryState.FAILED, of=generation)
    assert "so nothing is sent again" in client.get(path(alice, "sent", row.pk)).text
    page = client.post(path(alice, "sent", row.pk, "again"), follow=True)
    assert "Switch it on first" in page.text
    row.refresh_from_db()
    assert row.state == DeliveryState.FAILED


def test_the_part_that_waits_asks_until_something_has_changed(
    client: Client, alice: Person
) -> None:
    generation, htmx = reached(alice, State.CANCELED), {"HX-Request": "true"}
    row = a_delivery(an_endpoint(alice), DeliveryState.PENDING, of=generation)
    page = client.get(path(alice, "sent", row.pk)).text
    asks = f"{path(alice, 'sent', row.pk)}?seen=pending-0"
    assert f'hx-get="{asks}"' in page
    assert client.get(asks, headers=htmx).status_code == 204
    an_attempt(row, 1)
    WebhookDelivery.objects.filter(pk=row.pk).update(
        state="succeeded", attempts_made=1, next_attempt_at=None, finished_at=timezone.now()
    )
    part = client.get(asks, headers=htmx)
    assert part.status_code == 200
    assert "answered 200" in part.text
    assert "hx-get" not in part.text
    assert "<html" not in part.text


def test_what_went_to_the_urls_of_orders(client: Client, alice: Person, bob: Person) -> None:
    mine = a_delivery(alice)
    a_delivery(bob)
    a_delivery(an_endpoint(alice))
    page = client.get(path(alice, "orders"))
    assert [each.row for each in page.context["deliveries"]] == [mine]
