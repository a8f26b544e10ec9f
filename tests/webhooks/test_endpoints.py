"""Making, changing, ending: what the verbs about endpoints leave in the tables."""

from __future__ import annotations

from typing import Any

import pytest

from common.errors import NotFound
from events.models import DisabledReason, Type, WebhookDelivery, WebhookEndpoint
from generation.models.states import State
from tests.support.bring_to import reached
from tests.support.people import Person
from tests.support.racing import race
from webhooks import endpoints, keys, switching
from webhooks.refusals import MOST_ENDPOINTS, RotationInProgress, TooManyWebhookEndpoints

URL = "https://hooks.example.com/in?token=t0ken"


def made(person: Person, **said: Any) -> WebhookEndpoint:
    return endpoints.create(person.account.pk, person.user.pk, **{"url": URL, **said})[0]


def test_a_new_one_wants_all_ends_and_is_on(alice: Person) -> None:
    row, secret = endpoints.create(alice.account.pk, alice.user.pk, url=URL)
    assert keys.valid_secrets(row, row.now) == [secret]
    assert secret not in str(WebhookEndpoint.objects.values())
    assert (row.account, row.created_by, row.url) == (alice.account, alice.user, URL)
    assert (row.event_types, row.description, row.api_version) == (Type.values, "", "2026-12-01")
    assert row.enabled
    assert row.disabled_at is None
    off = made(alice, enabled=False)
    assert (off.enabled, off.disabled_reason) == (False, "")
    assert off.disabled_at == off.created_at


def test_types_are_merged(alice: Person) -> None:
    twice = ["generation.failed", "generation.completed", "generation.failed"]
    assert made(alice, event_types=twice).event_types == twice[:2]
    row = made(alice, event_types=["generation.failed", "*"])
    assert row.event_types == ["*"]
    assert endpoints.change(row, event_types=twice).event_types == twice[:2]


def test_at_most_ten_also_of_many_at_once(alice: Person, bob: Person) -> None:
    found = race([lambda: made(alice)] * 15, at_once=15)
    refused = [each for each in found if isinstance(each, TooManyWebhookEndpoints)]
    assert len(refused) == 15 - MOST_ENDPOINTS
    assert endpoints.of_account(alice.account.pk).count() == MOST_ENDPOINTS
    made(bob)
    endpoints.delete(endpoints.of_account(alice.account.pk)[0])
    made(alice)
    with pytest.raises(TooManyWebhookEndpoints):
        made(alice)


def test_what_is_not_said_stays(alice: Person) -> None:
    row = made(alice, description="the shop")
    assert endpoints.change(row).updated_at == row.updated_at
    changed = endpoints.change(row, url="https://other.example.com/")
    assert changed.url == "https://other.example.com/"
    assert changed.description == "the shop"
    assert changed.updated_at > row.updated_at
    assert endpoints.change(row, description="").description == ""


def test_switched_off_what_waits_has_failed_and_on_it_stays_so(alice: Person) -> None:
    row = made(alice)
    reached(alice, State.CANCELED, model="image")
    off = endpoints.change(row, enabled=False, description="off")
    assert (off.enabled, off.disabled_reason, off.description) == (False, "", "off")
    assert off.disabled_at is not None
    (delivery,) = WebhookDelivery.objects.all()
    assert (delivery.state, delivery.failed_reason) == ("failed", "endpoint_disabled")
    reached(alice, State.CANCELED, model="image")
    assert WebhookDelivery.objects.count() == 1, "nothing is written while it is off"
    on = endpoints.change(row, enabled=True)
    assert (on.enabled, on.disabled_at) == (True, None)
    assert WebhookDelivery.objects.get().state == "failed"


def test_switched_on_it_has_no_reason_any_more(alice: Person) -> None:
    row = made(alice)
    switching.switch_off(row.pk, DisabledReason.GONE)
    same = endpoints.change(row, enabled=False)
    assert same.disabled_reason == "gone", "it was off already"
    assert endpoints.change(row, enabled=True).disabled_reason == ""


def test_deleted_it_has_no_secret_and_gets_nothing(alice: Person) -> None:
    row = made(alice)
    endpoints.rotate(row)
    reached(alice, State.CANCELED, model="image")
    endpoints.delete(row)
    row.refresh_from_db()
    assert (row.secret, row.secret_hint, row.previous_secret) == ("", "", None)
    assert not row.enabled
    assert row.deleted_at is not None
    (delivery,) = WebhookDelivery.objects.all()
    assert (delivery.state, delivery.failed_reason) == ("failed", "endpoint_deleted")
    reached(alice, State.CANCELED, model="image")
    assert WebhookDelivery.objects.count() == 1
    assert not endpoints.of_account(alice.account.pk).exists()
    for verb in (endpoints.delete, endpoints.rotate, endpoints.change):
        with pytest.raises(NotFound):
            verb(row)
    off = made(alice, enabled=False)
    endpoints.delete(off)


def test_of_two_who_delete_at_once_one_finds_nothing(alice: Person) -> None:
    row = made(alice)
    found = race([lambda: endpoints.delete(row)] * 2, at_once=2)
    assert sorted(type(each).__name__ for each in found) == ["NoneType", "NotFound"]


def test_a_rotation_is_stored(alice: Person) -> None:
    row, first = endpoints.create(alice.account.pk, None, url=URL)
    again, second = endpoints.rotate(row, keep_hours=1)
    stored = endpoints.of_account(alice.account.pk).get()
    assert keys.valid_secrets(stored, stored.now) == [second, first]
    assert again.secret_hint == stored.secret_hint == second[-4:]
    with pytest.raises(RotationInProgress):
        endpoints.rotate(row)
    _, third = endpoints.rotate(row, keep_hours=0, force=True)
    stored.refresh_from_db()
    assert keys.valid_secrets(stored, again.now) == [third]


def test_a_rotation_meets_a_change_of_the_url(alice: Person) -> None:
    """Each writes its own columns."""
    row = made(alice)
    calls = [
        lambda: endpoints.rotate(row)[1],
        lambda: endpoints.change(row, url="https://other.example.com/").url,
    ]
    found = race(calls, at_once=2)
    stored = endpoints.of_account(alice.account.pk).get()
    assert stored.url == found[1]
    assert keys.valid_secrets(stored, stored.now)[0] == found[0]
