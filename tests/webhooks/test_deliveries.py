"""What becomes of a delivery: sent, sent again, given up, as a receiver answers."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.db.models import F
from django.db.models.functions import Now

from common import sealing
from events.models import (
    AttemptError,
    DeliveryState,
    Event,
    FailedReason,
    WebhookAttempt,
    WebhookDelivery,
    WebhookEndpoint,
)
from generation.models.states import State
from tests.support.bring_to import reached
from tests.support.deliveries import default_of, delivery_to, endpoint_of, event_of, trial_of
from tests.support.people import Person
from tests.support.receiver import Receiver
from tests.webhooks.conftest import Deliver
from webhooks import ending, schedule, signing, switching
from webhooks.send import Answer
from webhooks.stage import DeliverStage
from work.engine import Engine

SECRET = signing.new_secret()
UNKNOWN = uuid.UUID(int=7)  # of no generation


@pytest.fixture
def event(alice: Person) -> Event:
    return event_of(reached(alice, State.FAILED))


@pytest.fixture
def endpoint(alice: Person, hooks: Receiver) -> Callable[..., WebhookEndpoint]:
    """``endpoint("500", …)``: one of Alice's whose receiver plays that, in the box ``alice``."""

    def make(scenario: str = "", **columns: Any) -> WebhookEndpoint:
        hooks.configure("alice", SECRET)
        return endpoint_of(alice, url=hooks.hook("alice", scenario), secret=SECRET, **columns)

    return make


def now() -> datetime:
    with connection.cursor() as cursor:
        cursor.execute("SELECT now()")
        found: datetime = cursor.fetchone()[0]
        return found


def make_due(delivery: WebhookDelivery) -> None:
    WebhookDelivery.objects.filter(pk=delivery.pk, state="pending").update(next_attempt_at=Now())


def pause(delivery: WebhookDelivery) -> float:
    """Seconds until its next attempt, from a moment ago on."""
    delivery.refresh_from_db()
    assert delivery.next_attempt_at is not None
    return (delivery.next_attempt_at - now()).total_seconds()


def attempts(delivery: WebhookDelivery) -> list[tuple[int, int | None, str]]:
    rows = WebhookAttempt.objects.filter(delivery=delivery).order_by("number")
    return [(row.number, row.status_code, row.error) for row in rows]


def answer(status: int) -> Answer:
    """What a receiver said, and nothing was asked."""
    return Answer(status, None if status == 200 else AttemptError.HTTP_STATUS, 100)


def switch(target: WebhookEndpoint, what: str) -> None:
    """As its customer does it, but for what waits."""
    changes: dict[str, Any] = {"enabled": False, "disabled_at": now()}
    if what == "deleted":
        changes |= {"deleted_at": now(), "secret": "", "previous_secret": None}
    WebhookEndpoint.objects.filter(pk=target.pk).update(**changes)


def ended(delivery: WebhookDelivery) -> tuple[str, str]:
    delivery.refresh_from_db()
    assert delivery.lease_token is None
    return delivery.state, delivery.failed_reason


def test_an_end_is_received_signed_and_written_down(
    deliver: Deliver, hooks: Receiver, endpoint: Any, event: Event
) -> None:
    target = endpoint()
    delivery = delivery_to(target, event)
    assert deliver() == 1
    (got,) = hooks.received("alice")
    assert got["verified"] is True, got["why"]
    headers = got["headers"]
    assert headers["webhook-id"] == f"evt_{event.pk.hex}"
    assert abs(int(headers["webhook-timestamp"]) - now().timestamp()) < 5
    assert headers["content-type"] == "application/json"
    assert headers["user-agent"] == "Reelmint-Webhooks/1"
    assert json.loads(got["body"])["data"]["status"] == "failed"
    assert ended(delivery) == ("succeeded", "")
    assert (delivery.attempts_made, delivery.round_attempts, delivery.strikes) == (1, 1, 0)
    assert (delivery.last_status_code, delivery.last_error) == (200, "")
    assert attempts(delivery) == [(1, 200, "")]
    target.refresh_from_db()
    assert target.last_attempt_succeeded
    assert target.is_prompt
    assert target.last_success_at == target.last_attempt_at
    assert target.updated_at < target.last_attempt_at  # no change of its customer's
    assert deliver() == 0


def test_the_url_of_an_order_is_signed_with_the_default_secret(
    deliver: Deliver, hooks: Receiver, alice: Person, event: Event
) -> None:
    default_of(alice, SECRET)
    hooks.configure("order", SECRET)
    delivery = delivery_to(hooks.hook("order", "410"), event)
    assert deliver() == 1
    assert hooks.received("order")[0]["verified"] is True
    assert ended(delivery) == ("failed", "gone")  # there is nothing to switch off


def test_two_secrets_sign_while_both_are_valid(
    deliver: Deliver, hooks: Receiver, endpoint: Any, event: Event
) -> None:
    other = signing.new_secret()
    target = endpoint()
    WebhookEndpoint.objects.filter(pk=target.pk).update(
        previous_secret=sealing.seal(other), previous_secret_expires_at=now() + timedelta(minutes=1)
    )
    for secret in (SECRET, other):
        hooks.configure("alice", secret)
        delivery = delivery_to(target, event)
        assert deliver() == 1
        got = hooks.received("alice")[-1]
        assert got["verified"] is True
        assert len(got["headers"]["webhook-signature"].split()) == 2
        WebhookAttempt.objects.all().delete()
        delivery.delete()


def test_the_schedule_is_kept_to_the_second(
    deliver: Deliver, hooks: Receiver, endpoint: Any, event: Event
) -> None:
    target = endpoint("500", last_success_at=now())
    delivery = delivery_to(target, event)
    for made, wanted in enumerate(schedule.PAUSES, start=1):
        make_due(delivery)
        assert deliver() == 1
        assert wanted * 0.9 - 2 <= pause(delivery) <= wanted * 1.1
        assert (delivery.state, delivery.round_attempts) == ("pending", made)
        assert deliver() == 0  # not before its time
    make_due(delivery)
    assert deliver() == 1
    assert ended(delivery) == ("failed", "exhausted")
    assert attempts(delivery) == [(number, 500, "http_status") for number in range(1, 11)]
    received = hooks.received("alice")
    assert {got["id"] for got in received} == {f"evt_{event.pk.hex}"}
    assert len(received) == 10
    target.refresh_from_db()
    assert target.enabled
    assert (target.last_attempt_succeeded, target.is_prompt) == (False, False)


def test_the_pauses_are_those_of_the_contract(settings: Any) -> None:
    hours = 3600
    assert schedule.PAUSES[:3] == (5, 300, 1800)
    assert [pause / hours for pause in schedule.PAUSES[3:]] == [2, 5, 10, 14, 20, 24]
    assert sum(schedule.PAUSES) == 75 * hours + 35 * 60 + 5
    drawn = [schedule.next_pause(2, None) or 0 for _ in range(300)]
    assert 270 <= min(drawn) < 280
    assert 320 < max(drawn) <= 330
    assert schedule.next_pause(1, 60.0) == 60
    assert schedule.next_pause(1, 100_000.0) == hours
    assert (schedule.next_pause(9, 60.0) or 0) > 21 * hours  # it only ever waits longer
    assert schedule.next_pause(10, 60.0) is None
    settings.TIME_SCALE = 0.01
    assert 0.045 <= (schedule.next_pause(1, None) or 0) <= 0.055


def test_a_receiver_may_ask_for_more_time(
    deliver: Deliver, endpoint: Any, event: Event, settings: Any
) -> None:
    settings.TIME_SCALE = 0.01
    delivery = delivery_to(endpoint("429"), event)
    assert deliver() == 1
    assert 1.0 < pause(delivery) <= 2.0
    assert attempts(delivery) == [(1, 429, "http_status")]


@pytest.mark.parametrize(
    ("scenario", "status", "error"),
    [
        ("301", 301, "redirect"),
        ("garbage", None, "connection"),
        ("close-read", None, "connection"),
        ("close-unread", None, "connection"),
    ],
)
def test_all_else_is_a_failure_and_sent_again(
    scenario: str,
    status: int | None,
    error: str,
    deliver: Deliver,
    hooks: Receiver,
    endpoint: Any,
    event: Event,
) -> None:
    delivery = delivery_to(endpoint(f"{scenario}=1"), event)
    assert deliver() == 1
    assert attempts(delivery) == [(1, status, error)]
    assert 4 < pause(delivery) < 6
    assert hooks.received("elsewhere") == []
    make_due(delivery)
    assert deliver() == 1
    assert ended(delivery) == ("succeeded", "")
    assert attempts(delivery)[1:] == [(2, 200, "")]


def test_410_ends_the_delivery_and_switches_the_endpoint_off(
    deliver: Deliver, hooks: Receiver, endpoint: Any, alice: Person
) -> None:
    events = [event_of(reached(alice, State.FAILED)) for _ in range(3)]
    target = endpoint("410")
    first, second, later = (delivery_to(target, event) for event in events)
    WebhookDelivery.objects.filter(pk=later.pk).update(
        next_attempt_at=F("next_attempt_at") + timedelta(hours=1)
    )
    assert deliver() == 2  # both were under way when the first answer came
    assert {ended(first), ended(second)} == {("failed", "gone")}
    assert ended(later) == ("failed", "endpoint_disabled")
    target.refresh_from_db()
    assert (target.enabled, target.disabled_reason) == (False, "gone")
    assert len(hooks.received("alice")) == 2


def test_410_of_a_place_that_was_left_says_nothing_of_the_new_one(
    deliver: Deliver, endpoint: Any, event: Event
) -> None:
    target = endpoint("410")
    delivery = delivery_to(target, event)
    stage = DeliverStage()
    (claimed,) = stage.claim(10)
    WebhookEndpoint.objects.filter(pk=target.pk).update(url="https://example.com/new")
    ending.attempted(claimed, answer(410))
    assert pause(delivery) > 0
    target.refresh_from_db()
    assert target.enabled


@pytest.mark.parametrize(
    ("succeeded", "enabled", "off"),
    [(None, 6, True), (6, 6, True), (4, 6, False), (None, 4, False), (6, 4, False)],
)
def test_what_has_failed_for_five_days_is_switched_off(
    succeeded: int | None, enabled: int, off: bool, deliver: Deliver, endpoint: Any, event: Event
) -> None:
    columns: dict[str, Any] = {"enabled_at": now() - timedelta(days=enabled)}
    if succeeded is not None:
        columns["last_success_at"] = now() - timedelta(days=succeeded)
    target = endpoint("500", **columns)
    delivery = delivery_to(target, event, round_attempts=9, attempts_made=9)
    assert deliver() == 1
    assert ended(delivery) == ("failed", "exhausted")
    target.refresh_from_db()
    assert (target.enabled, target.disabled_reason) == (not off, "failing" if off else "")


def test_what_is_our_own_fault_switches_nobody_off(endpoint: Any, event: Event) -> None:
    target = endpoint(enabled_at=now() - timedelta(days=6))
    delivery = delivery_to(target, event, round_attempts=9)
    (claimed,) = DeliverStage().claim(10)
    ending.attempted(claimed, Answer(None, AttemptError.INTERNAL, 0))
    assert ended(delivery) == ("failed", "exhausted")
    target.refresh_from_db()
    assert target.enabled


@pytest.mark.parametrize("what", ["disabled", "deleted"])
def test_what_waits_for_an_endpoint_that_is_off_ends_unsent(
    what: str, deliver: Deliver, hooks: Receiver, endpoint: Any, event: Event
) -> None:
    target = endpoint()
    delivery = delivery_to(target, event)  # as of an end that did not see it
    switch(target, what)
    assert deliver() == 1
    assert ended(delivery) == ("failed", f"endpoint_{what}")
    assert attempts(delivery) == []
    assert hooks.received() == []


@pytest.mark.parametrize("what", ["disabled", "deleted"])
@pytest.mark.parametrize("status", [200, 410, 500])
def test_one_under_way_ends_with_its_own_answer(
    status: int, what: str, endpoint: Any, event: Event
) -> None:
    target = endpoint()
    delivery = delivery_to(target, event)
    (claimed,) = DeliverStage().claim(10)
    switch(target, what)
    ending.attempted(claimed, answer(status))
    wanted = {200: ("succeeded", ""), 410: ("failed", "gone")}
    assert ended(delivery) == wanted.get(status, ("failed", f"endpoint_{what}"))
    assert len(attempts(delivery)) == 1
    target.refresh_from_db()
    assert target.disabled_reason == ""


def test_a_test_reaches_an_endpoint_that_is_off_once(
    deliver: Deliver, hooks: Receiver, endpoint: Any, alice: Person
) -> None:
    target = endpoint("500=1")
    switching.switch_off(target.pk, None)
    failed, fine = (delivery_to(target, trial_of(alice)) for _ in range(2))
    WebhookDelivery.objects.filter(pk=fine.pk).update(next_attempt_at=now() + timedelta(hours=1))
    assert deliver() == 1
    assert ended(failed) == ("failed", "endpoint_disabled")
    assert attempts(failed) == [(1, 500, "http_status")]
    hooks.configure("alice", SECRET, scenario="fine")
    make_due(fine)
    assert deliver() == 1
    assert ended(fine) == ("succeeded", "")
    assert len(hooks.received("alice")) == 2


def test_what_kills_its_workers_is_tried_by_the_schedule_and_ends(
    deliver: Deliver, hooks: Receiver, endpoint: Any
) -> None:
    event = Event.objects.create(
        account=endpoint().account, type="generation.failed", sequence=7, generation_id=UNKNOWN
    )
    target = WebhookEndpoint.objects.get()
    delivery = delivery_to(target, event)
    for strikes in range(1, schedule.MOST_STRIKES + 1):
        make_due(delivery)
        assert deliver() == 1  # its own code fails: there is no such generation
        delivery.refresh_from_db()
        assert (delivery.state, delivery.strikes) == ("pending", strikes)
        assert 30 < pause(delivery) <= 35
    make_due(delivery)
    assert deliver() == 1
    delivery.refresh_from_db()
    assert (delivery.state, delivery.strikes) == ("pending", 0)
    assert attempts(delivery) == [(1, None, "internal")]
    assert 4 < pause(delivery) < 6
    WebhookDelivery.objects.update(round_attempts=9, strikes=schedule.MOST_STRIKES)
    make_due(delivery)
    assert deliver() == 1
    assert ended(delivery) == ("failed", "internal")
    target.refresh_from_db()
    assert target.enabled
    assert hooks.received() == []


def test_a_secret_that_does_not_open_is_never_no_signature(
    deliver: Deliver, hooks: Receiver, endpoint: Any, event: Event, settings: Any, caplog: Any
) -> None:
    delivery = delivery_to(endpoint(), event)
    settings.SECRET_KEY = "another one, and the former is lost"
    assert deliver() == 1
    assert attempts(delivery) == [(1, None, "internal")]
    assert 4 < pause(delivery) < 6
    assert hooks.received() == []
    assert "does not open" in caplog.text
    assert SECRET not in caplog.text


def test_a_worker_that_lost_its_lease_writes_nothing(endpoint: Any, event: Event) -> None:
    target = endpoint()
    delivery = delivery_to(target, event)
    (late,) = DeliverStage().claim(10)
    make_due(delivery)
    (held,) = DeliverStage().claim(10)
    ending.attempted(late, answer(410))
    ending.not_sent(late, FailedReason.INTERNAL)
    ending.hand_back([late])
    delivery.refresh_from_db()
    assert (delivery.state, delivery.lease_token) == ("pending", held.lease_token)
    assert attempts(delivery) == []
    target.refresh_from_db()
    assert target.enabled
    assert target.last_attempt_at is None
    ending.attempted(held, answer(200))
    ending.attempted(held, answer(500))  # twice
    assert ended(delivery) == ("succeeded", "")
    assert attempts(delivery) == [(1, 200, "")]


def test_what_is_handed_back_is_due_at_once_and_has_no_strike(endpoint: Any, event: Event) -> None:
    delivery = delivery_to(endpoint(), event)
    stage = DeliverStage()
    stage.hand_back(stage.claim(10))
    delivery.refresh_from_db()
    assert (delivery.lease_token, delivery.strikes, delivery.attempts_made) == (None, 0, 0)
    assert len(stage.claim(10)) == 1


def test_of_many_attempts_the_last_fifty_are_kept(endpoint: Any, event: Event) -> None:
    delivery = delivery_to(endpoint(), event)
    for _ in range(53):
        WebhookDelivery.objects.filter(pk=delivery.pk).update(round_attempts=0)
        make_due(delivery)
        (claimed,) = DeliverStage().claim(10)
        ending.attempted(claimed, answer(500))
    assert [number for number, *_ in attempts(delivery)] == list(range(4, 54))
    delivery.refresh_from_db()
    assert delivery.attempts_made == 53


def test_of_two_attempts_the_later_one_counts_whichever_is_written_first(
    endpoint: Any, alice: Person
) -> None:
    target = endpoint()
    reached(alice, State.FAILED)
    (first,) = DeliverStage().claim(10)
    reached(alice, State.CANCELED)
    (second,) = DeliverStage().claim(10)
    ending.attempted(second, answer(200))
    ending.attempted(first, answer(500))
    target.refresh_from_db()
    assert target.last_attempt_at == second.claimed_at
    assert target.last_attempt_succeeded
    assert DeliveryState.PENDING in WebhookDelivery.objects.values_list("state", flat=True)


@pytest.mark.parametrize("claims_on", [True, False])
def test_what_is_under_way_at_the_end_is_waited_for(
    claims_on: bool, hooks: Receiver, endpoint: Any, event: Event
) -> None:
    """Whether the worker is told to end or its run is over: to hand it back would send it twice."""
    delivery = delivery_to(endpoint("slow"), event)
    stage, engine = DeliverStage(), Engine()
    if not claims_on:
        stage.keeps_claiming = 0.5
    try:
        stopping = (lambda: bool(hooks.received("alice"))) if claims_on else (lambda: False)
        assert engine.run(stage, 0.0, stopping) == 1
    finally:
        engine.close()
    assert ended(delivery) == ("succeeded", "")
    assert attempts(delivery) == [(1, 200, "")]
    assert len(hooks.received("alice")) == 1
