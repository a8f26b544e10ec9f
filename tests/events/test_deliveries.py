"""Whom an end is sent to: written with it, by the same statement, or not at all."""

from __future__ import annotations

import os
import re
import time
import uuid
from typing import Any

import psycopg
import pytest
import redis
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from common import ids
from dev.embedded.processes import wait_until
from events import outbox
from events.models import DeliveryState, Event, Type, WebhookDelivery, WebhookEndpoint
from generation import lifecycle
from generation.models.states import State
from tests.support.bring_to import reached
from tests.support.people import Person
from work import wake

URL = "https://example.com/hooks?token=of-one-order"
ALL = list(Type.values)


def endpoint(person: Person, **changes: Any) -> WebhookEndpoint:
    """One of the person's, which wants every end."""
    values: dict[str, Any] = {"url": "https://example.com/hooks", "event_types": ALL}
    values |= {"secret": "sealed", "secret_hint": "abcd"} | changes
    return WebhookEndpoint.objects.create(account=person.account, **values)


def announced(person: Person, what: Type = Type.COMPLETED, url: str | None = None) -> bool:
    with transaction.atomic():
        return outbox.announce(person.account.pk, uuid.uuid4(), what, url)


def test_nobody_is_sent_to_where_there_is_nobody(alice: Person, bob: Person) -> None:
    endpoint(bob)
    assert not announced(alice)
    assert Event.objects.count() == 1
    assert not WebhookDelivery.objects.exists()


def test_each_endpoint_gets_one_that_is_due(alice: Person) -> None:
    wanted = {endpoint(alice).pk for _ in range(10)}
    assert announced(alice)
    event, deliveries = Event.objects.get(), WebhookDelivery.objects.all()
    assert {row.endpoint_id for row in deliveries} == {row.target for row in deliveries} == wanted
    for row in deliveries:
        assert (row.event_id, row.account_id, row.url) == (event.pk, alice.account.pk, None)
        assert (row.state, row.failed_reason, row.last_error) == (DeliveryState.PENDING, "", "")
        assert (row.round_attempts, row.attempts_made, row.strikes) == (0, 0, 0)
        assert row.next_attempt_at == row.created_at == event.created_at <= timezone.now()
        assert (row.lease_token, row.finished_at) == (None, None)


def test_its_id_is_new_and_says_when(alice: Person) -> None:
    for _ in range(3):
        endpoint(alice)
    assert announced(alice, url=URL)
    made, event = WebhookDelivery.objects.values_list("id", flat=True), Event.objects.get()
    assert {ids.made_at(pk) for pk in made} == {ids.made_at(event.pk)}
    assert {pk.variant for pk in made} == {uuid.RFC_4122}
    assert len({pk.hex[13:] for pk in made} | {event.pk.hex[13:]}) == 5


def test_the_url_of_an_order_gets_one_beside_them(alice: Person) -> None:
    same = endpoint(alice, url=URL)  # whoever wants it twice gets it twice, with one webhook-id
    assert announced(alice, url=URL)
    of_endpoint, of_order = WebhookDelivery.objects.order_by("url")[::-1]
    assert (of_endpoint.endpoint_id, of_endpoint.url) == (same.pk, None)
    assert (of_order.endpoint_id, of_order.url) == (None, URL)
    assert of_order.target == alice.account.pk
    assert of_order.event_id == of_endpoint.event_id


@pytest.mark.parametrize("what", list(Type))
def test_only_its_types_are_sent(what: Type, alice: Person) -> None:
    wanted = endpoint(alice, event_types=[what]), endpoint(alice, event_types=["*"])
    endpoint(alice, event_types=[other for other in ALL if other != what])
    assert announced(alice, what)
    sent = WebhookDelivery.objects.values_list("endpoint_id", flat=True)
    assert set(sent) == {each.pk for each in wanted}


def test_what_is_off_or_deleted_gets_none(alice: Person) -> None:
    endpoint(alice, enabled=False, disabled_at=timezone.now())
    gone = {"enabled": False, "disabled_at": timezone.now(), "deleted_at": timezone.now()}
    endpoint(alice, secret="", **gone)
    assert not announced(alice)
    assert Event.objects.count() == 1


def test_an_end_that_is_rolled_back_is_sent_to_nobody(alice: Person) -> None:
    endpoint(alice)
    generation = reached(alice, State.QUEUED)
    with transaction.atomic():
        assert lifecycle.cancel(generation.pk)
        assert WebhookDelivery.objects.count() == 1
        transaction.set_rollback(True)
    assert not WebhookDelivery.objects.exists()
    assert lifecycle.cancel(generation.pk)
    assert WebhookDelivery.objects.count() == 1


def test_many_endpoints_cost_an_end_no_statement(alice: Person) -> None:
    first, second = reached(alice, State.QUEUED), reached(alice, State.QUEUED)
    with CaptureQueriesContext(connection) as before:
        lifecycle.cancel(first.pk)
    for _ in range(10):
        endpoint(alice)
    with CaptureQueriesContext(connection) as after:
        lifecycle.cancel(second.pk)
    assert len(after) == len(before)
    assert WebhookDelivery.objects.count() == 10


def test_the_statement_finds_endpoints_by_their_index(
    alice: Person, bob: Person, admin_connection: psycopg.Connection
) -> None:
    """However many others have: an end asks for its account's alone."""
    rows = [
        WebhookEndpoint(account=bob.account, url="https://a.example/", event_types=ALL, secret="x")
        for _ in range(3_000)
    ]
    WebhookEndpoint.objects.bulk_create(rows)
    endpoint(alice)
    values: dict[str, Any] = {"id": ids.new(), "account": alice.account.pk, "url": None}
    values |= {"type": "generation.failed", "generation": uuid.uuid4(), "every": "*"}
    admin_connection.execute("ANALYZE events_webhookendpoint")
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN {outbox.ANNOUNCE.sql}", values)
        plan = "\n".join(line for (line,) in cursor.fetchall())
    assert re.search("Index Scan using endpoint_\\w*of_account", plan), plan
    assert "Seq Scan on events_webhookendpoint" not in plan


def test_one_that_is_switched_off_late_keeps_what_it_has(alice: Person) -> None:
    """Its deliveries name it; ends from then on have none."""
    off = endpoint(alice)
    assert announced(alice)
    WebhookEndpoint.objects.filter(pk=off.pk).update(enabled=False, disabled_at=timezone.now())
    assert not announced(alice)
    assert WebhookDelivery.objects.count() == 1


def test_an_end_wakes_its_sender_once_it_is_committed(alice: Person) -> None:
    nobody, somebody = reached(alice, State.QUEUED), reached(alice, State.QUEUED, webhook_url=URL)
    with redis.Redis.from_url(os.environ["REDIS_URL"]) as queues:
        assert wait_until(lambda: not wake._waker._stages, 20)
        time.sleep(4 * wake.PAUSE)  # what an earlier test hinted at is published by now
        queues.delete("deliver", "wake:deliver")
        assert lifecycle.cancel(nobody.pk)
        with transaction.atomic():
            assert lifecycle.cancel(somebody.pk)
            time.sleep(4 * wake.PAUSE)
            assert not queues.llen("deliver")
        assert wait_until(lambda: queues.llen("deliver") == 1, 5)
