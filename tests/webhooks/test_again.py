"""A test, one delivery again, all that was missed: what is due then, and that nothing is twice."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from pytest_django.fixtures import Settings

from common.errors import NotFound
from events.models import Event, FailedReason, WebhookDelivery, WebhookEndpoint
from generation.models.states import State
from tests.support.bring_to import reached
from tests.support.people import Person
from tests.support.racing import race
from webhooks import again, endpoints
from webhooks.again import Recovered
from webhooks.refusals import EndpointDisabled

URL = "https://hooks.example.com/in"
LONG_AGO = timezone.now() - timedelta(days=20)


def made(person: Person, **said: Any) -> WebhookEndpoint:
    return endpoints.create(person.account.pk, person.user.pk, **{"url": URL, **said})[0]


def an_end(person: Person, state: State = State.CANCELED) -> Event:
    return Event.objects.get(generation_id=reached(person, state, model="image").pk)


def sent(endpoint: WebhookEndpoint) -> list[WebhookDelivery]:
    return list(WebhookDelivery.objects.filter(target=endpoint.pk).order_by("event_id"))


def over(*, failed: bool = True) -> None:
    """Let all deliveries end."""
    WebhookDelivery.objects.update(
        state="failed" if failed else "succeeded",
        failed_reason=FailedReason.EXHAUSTED if failed else "",
        next_attempt_at=None,
        finished_at=timezone.now(),
        round_attempts=10,
        attempts_made=10,
        last_error="http_status" if failed else "",
        last_status_code=500 if failed else 200,
    )


def is_due(delivery: WebhookDelivery) -> bool:
    return delivery.next_attempt_at is not None and delivery.next_attempt_at <= timezone.now()


def test_a_test_goes_to_that_endpoint_alone(alice: Person) -> None:
    other, off = made(alice), made(alice, enabled=False)
    for endpoint in (off, other, other):
        delivery = again.test(endpoint)
        assert (delivery.target, delivery.type) == (endpoint.pk, "webhook_endpoint.test")
        assert (delivery.event.sequence, delivery.event.generation_id) == (None, None)
        assert is_due(WebhookDelivery.objects.get(pk=delivery.pk))
    assert [len(sent(off)), len(sent(other))] == [1, 2]
    endpoints.delete(other)
    with pytest.raises(NotFound):
        again.test(other)


@pytest.mark.parametrize("failed", [True, False])
def test_again_is_a_new_round_of_the_same_event(failed: bool, alice: Person) -> None:
    endpoint = made(alice)
    event = an_end(alice)
    over(failed=failed)
    delivery = again.resend(WebhookDelivery.objects.get())
    assert (delivery.state, delivery.failed_reason) == ("pending", "")
    assert (delivery.round_attempts, delivery.attempts_made) == (0, 10)
    assert (delivery.event_id, delivery.finished_at) == (event.pk, None)
    assert delivery.last_status_code == (500 if failed else 200), "of the newest attempt, still"
    assert is_due(delivery)
    assert len(sent(endpoint)) == 1


def test_again_also_while_it_waits_or_is_being_sent(alice: Person) -> None:
    made(alice)
    an_end(alice)
    later = timezone.now() + timedelta(hours=14)
    WebhookDelivery.objects.update(
        next_attempt_at=later, lease_token="0" * 32, strikes=2, round_attempts=7
    )
    delivery = again.resend(WebhookDelivery.objects.get())
    assert is_due(delivery)
    assert (delivery.lease_token, delivery.strikes, delivery.round_attempts) == (None, 0, 0)


def test_nothing_again_where_it_is_off_or_gone(alice: Person) -> None:
    endpoint = made(alice)
    an_end(alice)
    endpoints.change(endpoint, enabled=False)
    (delivery,) = sent(endpoint)
    with pytest.raises(EndpointDisabled):
        again.resend(delivery)
    with pytest.raises(EndpointDisabled):
        again.recover(endpoint, LONG_AGO)
    endpoints.delete(endpoint)
    for call in (
        lambda: again.resend(WebhookDelivery.objects.get()),
        lambda: again.recover(endpoint, LONG_AGO),
    ):
        with pytest.raises(NotFound):
            call()
    assert WebhookDelivery.objects.get().state == "failed"


def test_what_went_to_an_order_can_be_sent_again(alice: Person) -> None:
    event = an_end(alice)
    row = WebhookDelivery.objects.create(
        event=event,
        account=alice.account,
        url=URL,
        target=alice.account.pk,
        type=event.type,
        next_attempt_at=timezone.now(),
    )
    over()
    assert is_due(again.resend(row))


def test_both_kinds_are_recovered_once(alice: Person, bob: Person) -> None:
    before = an_end(alice)
    endpoint = made(alice, event_types=["generation.canceled"])
    bobs = made(bob)
    an_end(bob)
    failed = an_end(alice)
    over()
    done = an_end(alice)
    WebhookDelivery.objects.filter(event=done).update(
        state="succeeded", next_attempt_at=None, finished_at=timezone.now()
    )
    endpoints.change(endpoint, enabled=False)
    missed = [an_end(alice), an_end(alice)]
    an_end(alice, State.FAILED)
    endpoints.change(endpoint, enabled=True)
    assert again.recover(endpoint, LONG_AGO) == Recovered(3, False)
    due = {row.event_id for row in sent(endpoint) if row.state == "pending"}
    assert due == {failed.pk, *(event.pk for event in missed)}
    assert all(is_due(row) for row in sent(endpoint) if row.state == "pending")
    assert [row.type for row in sent(endpoint)] == ["generation.canceled"] * 4
    assert before.pk not in {row.event_id for row in sent(endpoint)}, "older than the endpoint"
    assert again.recover(endpoint, LONG_AGO) == Recovered(0, False)
    assert [row.state for row in sent(bobs)] == ["failed"]


def test_only_of_that_time(alice: Person) -> None:
    endpoint = made(alice)
    events = [an_end(alice) for _ in range(3)]
    over()
    endpoints.change(endpoint, enabled=False)
    events += [an_end(alice) for _ in range(3)]
    endpoints.change(endpoint, enabled=True)
    first, _, third, fourth, _, last = (event.created_at for event in events)
    little = timedelta(microseconds=1)
    assert again.recover(endpoint, last + little) == Recovered(0, False)
    assert again.recover(endpoint, LONG_AGO, first - little) == Recovered(0, False)
    assert again.recover(endpoint, third, fourth) == Recovered(2, False)
    assert {row.event_id for row in sent(endpoint) if row.state == "pending"} == {
        events[2].pk,
        events[3].pk,
    }
    assert again.recover(endpoint, first) == Recovered(4, False)


def test_at_most_so_many_a_call(alice: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(again, "MOST", 3)
    endpoint = made(alice)
    for _ in range(4):
        an_end(alice)
    over()
    endpoints.change(endpoint, enabled=False)
    for _ in range(3):
        an_end(alice)
    endpoints.change(endpoint, enabled=True)
    found = [again.recover(endpoint, LONG_AGO) for _ in range(4)]
    assert found == [
        Recovered(3, True),
        Recovered(3, True),
        Recovered(1, False),
        Recovered(0, False),
    ]
    assert len(sent(endpoint)) == 7


def test_of_many_at_once_each_event_is_sent_once(alice: Person) -> None:
    endpoint = made(alice, enabled=False)
    for _ in range(5):
        an_end(alice)
    endpoints.change(endpoint, enabled=True)
    found = race([lambda: again.recover(endpoint, LONG_AGO)] * 6, at_once=6)
    counts = [each.count for each in found if isinstance(each, Recovered)]
    assert sorted(counts) == [0, 0, 0, 0, 0, 5]
    assert len(sent(endpoint)) == 5


def test_not_of_what_is_no_longer_kept(
    alice: Person, settings: Settings, admin_connection: Any
) -> None:
    """An event that old may have been sent: its delivery is deleted before it."""
    endpoint = made(alice, enabled=False)
    an_end(alice)
    admin_connection.execute("UPDATE events_webhookendpoint SET created_at = now() - interval '2y'")
    admin_connection.execute("SET session_replication_role = replica")
    admin_connection.execute("UPDATE events_event SET created_at = now() - interval '31 days'")
    admin_connection.execute("SET session_replication_role = DEFAULT")
    endpoints.change(endpoint, enabled=True)
    assert again.recover(endpoint, LONG_AGO - timedelta(days=300)) == Recovered(0, False)
    settings.EVENT_RETENTION_DAYS = 0
    assert again.recover(endpoint, LONG_AGO - timedelta(days=300)) == Recovered(1, False)
