"""Events end after their days, in batches, and what is younger stays."""

from __future__ import annotations

import os
import uuid
from datetime import timedelta
from typing import Any

import psycopg
import pytest
from django.utils import timezone

from events import retention
from events.models import Event, Type, WebhookAttempt, WebhookDelivery
from generation.tasks import store
from tests.support.aged_ids import days_ago
from tests.support.deliveries import delivery_to, endpoint_of
from tests.support.people import Person
from tests.support.racing import race, wait_until_blocked


@pytest.fixture
def aged(alice: Person, admin_connection: psycopg.Connection) -> Any:
    """``aged(*ages)``: events of Alice's, each so many days old, in this order."""

    def make(*ages: float) -> list[uuid.UUID]:
        made = []
        for number, age in enumerate(ages, start=1):
            made.append(days_ago(age, number))
            Event.objects.create(
                id=made[-1],
                account=alice.account,
                sequence=number,
                type=Type.FAILED,
                generation_id=uuid.uuid4(),
                created_at=timezone.now() - timedelta(days=age),
            )
        return made

    return make


def left() -> list[uuid.UUID]:
    return list(Event.objects.order_by("sequence").values_list("id", flat=True))


def test_what_is_older_goes_and_the_rest_stays(aged: Any) -> None:
    made = aged(90, 30.1, 30.02, 29.9, 0)
    assert retention.prune() == 2
    assert left() == made[2:]  # an hour of grace, for clocks that differ


def test_a_setting_says_how_long(aged: Any, settings: Any) -> None:
    made = aged(2_000, 9, 1)
    settings.EVENT_RETENTION_DAYS = 0
    assert retention.prune() == 0
    settings.EVENT_RETENTION_DAYS = 99_999_999
    assert retention.prune() == 0
    settings.EVENT_RETENTION_DAYS = 1_999
    assert retention.prune() == 1
    settings.EVENT_RETENTION_DAYS = 8
    assert retention.prune() == 1
    assert left() == made[2:]


def test_it_goes_in_batches_and_ends(aged: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "BATCH", 2)
    monkeypatch.setattr(retention, "BATCHES", 3)
    made = aged(*[40] * 9, 1)
    assert retention.prune() == 6
    assert left() == made[6:]
    assert retention.prune() == 3
    assert left() == made[9:]


def test_the_stage_does_it(aged: Any, works: Any) -> None:
    made = aged(40, 1)
    store.retention()
    assert left() == made[1:]


@pytest.fixture
def told(aged: Any, alice: Person) -> Any:
    """``told(age, state)``: an event so old and its delivery, with an attempt."""
    endpoint = endpoint_of(alice)

    def make(age: float, state: str = "succeeded") -> WebhookDelivery:
        (event_id,) = aged(age)
        columns: dict[str, Any] = {"state": state}
        if state != "pending":
            columns |= {"finished_at": timezone.now()}
        delivery = delivery_to(
            endpoint, Event.objects.get(pk=event_id), due=state == "pending", **columns
        )
        WebhookAttempt.objects.create(delivery=delivery, number=1, duration_ms=100)
        return delivery

    return make


def test_deliveries_and_attempts_go_with_their_event(told: Any) -> None:
    told(40)
    assert retention.prune() == 1
    assert (Event.objects.count(), WebhookDelivery.objects.count()) == (0, 0)
    assert WebhookAttempt.objects.count() == 0


def test_an_event_that_is_still_being_sent_stays_whole(told: Any) -> None:
    delivery = told(40, "pending")
    assert retention.prune() == 0
    assert WebhookAttempt.objects.get().delivery == delivery
    WebhookDelivery.objects.update(
        state="succeeded", next_attempt_at=None, finished_at=timezone.now()
    )
    assert retention.prune() == 1
    assert WebhookDelivery.objects.count() == 0


def test_what_is_sent_again_at_that_very_moment_stays(
    told: Any, admin_connection: psycopg.Connection
) -> None:
    delivery = told(40)
    again = (
        "UPDATE events_webhookdelivery SET state = 'pending', next_attempt_at = now(),"
        " finished_at = NULL"
    )
    admin_connection.execute("BEGIN")
    admin_connection.execute(again)

    def commit_when_it_waits() -> None:
        with psycopg.connect(os.environ["TEST_ADMIN_URL"], autocommit=True) as observer:
            wait_until_blocked(observer, "WITH old AS")
        admin_connection.execute("COMMIT")

    (outcome, _) = race([retention.prune, commit_when_it_waits], at_once=2)
    assert outcome == 0
    delivery.refresh_from_db()
    assert (delivery.state, Event.objects.count()) == ("pending", 1)
    assert WebhookAttempt.objects.count() == 1
