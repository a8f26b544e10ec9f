"""What operators do to endpoints and deliveries, each with its entry in the audit log."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from events.models import (
    DeliveryState,
    DisabledReason,
    FailedReason,
    WebhookDelivery,
    WebhookEndpoint,
)
from staff.models import AuditEntry
from tests.support.people import Person, inside, make_staff
from tests.support.racing import race
from tests.support.webhook_rows import a_delivery, an_endpoint, an_event, deleted, switched_off

WHY = {"reason": "a good reason"}
SINCE = {"since": f"{timezone.now() - timedelta(hours=1):%Y-%m-%d %H:%M}"}
VERBS = ("switch_off", "switch_on", "recover")


@pytest.fixture
def browser() -> Client:
    return inside(make_staff("operator"))


def path_of(row: WebhookEndpoint | WebhookDelivery, verb: str) -> str:
    return reverse(f"admin:events_{row._meta.model_name}_{verb}", args=[row.pk])


def only_entry(action: str, row: WebhookEndpoint | WebhookDelivery) -> dict[str, object]:
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.reason) == (action, WHY["reason"])
    assert (entry.target_id, entry.account_id) == (str(row.pk), row.account_id)
    changes: dict[str, object] = entry.changes
    return changes


def test_switching_off_ends_what_waits(browser: Client, alice: Person) -> None:
    endpoint = an_endpoint(alice)
    waiting, sent = a_delivery(endpoint, DeliveryState.PENDING), a_delivery(endpoint)
    assert browser.post(path_of(endpoint, "switch_off"), WHY).status_code == 302
    endpoint.refresh_from_db()
    assert (endpoint.enabled, endpoint.disabled_reason) == (False, DisabledReason.OPERATOR)
    waiting.refresh_from_db()
    assert waiting.failed_reason == FailedReason.ENDPOINT_DISABLED
    sent.refresh_from_db()
    assert sent.state == DeliveryState.SUCCEEDED
    changes = only_entry("switch_off_endpoint", endpoint)
    assert changes == {"state": ["on", "off: operator"]}
    page = browser.post(path_of(endpoint, "switch_off"), WHY, follow=True)
    assert "It was off before (off: operator)" in page.text
    assert AuditEntry.objects.count() == 1


@pytest.mark.parametrize("reason", [None, *DisabledReason])
def test_switching_on(browser: Client, alice: Person, reason: DisabledReason | None) -> None:
    endpoint = switched_off(alice, reason)
    assert browser.post(path_of(endpoint, "switch_on"), WHY).status_code == 302
    endpoint.refresh_from_db()
    assert (endpoint.enabled, endpoint.disabled_reason, endpoint.disabled_at) == (True, "", None)
    before = f"off: {reason or 'its customer'}"
    assert only_entry("switch_on_endpoint", endpoint) == {"state": [before, "on"]}
    page = browser.post(path_of(endpoint, "switch_on"), WHY, follow=True)
    assert "It was on before" in page.text
    assert AuditEntry.objects.count() == 1


def test_what_is_deleted_stays_deleted(browser: Client, alice: Person) -> None:
    endpoint = deleted(alice)
    for verb in VERBS:
        answer = browser.post(path_of(endpoint, verb), WHY | SINCE)
        assert answer.status_code == (409 if verb == "recover" else 302)
    endpoint.refresh_from_db()
    assert not endpoint.enabled
    sent = a_delivery(endpoint)
    assert path_of(sent, "send_again") not in browser.get(path_of(sent, "change")).text
    assert browser.post(path_of(sent, "send_again"), WHY).status_code == 409
    assert not AuditEntry.objects.exists()


def test_two_colleagues_switch_it_off_once(alice: Person) -> None:
    endpoint = an_endpoint(alice)
    carol, dave = (inside(make_staff("operator", name)) for name in ("carol", "dave"))
    path = path_of(endpoint, "switch_off")
    answers = race(
        [
            lambda: carol.post(path, WHY).status_code,
            lambda: dave.post(path, WHY).status_code,
        ],
        2,
    )
    assert answers == [302] * 2
    assert AuditEntry.objects.count() == 1


@pytest.mark.parametrize("state", list(DeliveryState))
@pytest.mark.parametrize("is_of_order", [False, True])
def test_sending_again(
    browser: Client, alice: Person, state: DeliveryState, is_of_order: bool
) -> None:
    delivery = a_delivery(alice if is_of_order else an_endpoint(alice), state, attempts_made=3)
    page = browser.get(path_of(delivery, "change")).text
    assert path_of(delivery, "send_again") in page
    assert browser.post(path_of(delivery, "send_again"), WHY).status_code == 302
    delivery.refresh_from_db()
    assert (delivery.state, delivery.attempts_made) == (DeliveryState.PENDING, 3)
    assert delivery.next_attempt_at is not None
    assert delivery.next_attempt_at <= timezone.now()
    changes = only_entry("send_webhook_again", delivery)
    assert changes == {"state": [state, "pending"], "attempts_made": 3}


def test_nothing_is_sent_to_what_is_off(browser: Client, alice: Person) -> None:
    endpoint = switched_off(alice)
    delivery = a_delivery(endpoint, DeliveryState.FAILED)
    paths = {
        path_of(delivery, "send_again"): path_of(delivery, "change"),
        path_of(endpoint, "recover"): path_of(endpoint, "change"),
    }
    for path, page in paths.items():
        assert path not in browser.get(page).text
        answer = browser.post(path, WHY | SINCE)
        assert answer.status_code == 409
        assert "switched off" in answer.text
    delivery.refresh_from_db()
    assert delivery.state == DeliveryState.FAILED
    assert not AuditEntry.objects.exists()


def test_recovering_what_was_missed(browser: Client, alice: Person) -> None:
    event = an_event(alice)
    now = timezone.now()
    endpoint = an_endpoint(alice, created_at=now - timedelta(days=2))
    failed = a_delivery(endpoint, DeliveryState.FAILED)
    page = browser.post(path_of(endpoint, "recover"), WHY | SINCE, follow=True)
    assert "2 deliveries are due now" in page.text
    failed.refresh_from_db()
    assert failed.state == DeliveryState.PENDING
    assert WebhookDelivery.objects.get(event=event).state == DeliveryState.PENDING
    changes = only_entry("recover_endpoint", endpoint)
    assert (changes["deliveries"], changes["has_more"]) == (2, False)
    page = browser.post(path_of(endpoint, "recover"), WHY | SINCE, follow=True)
    assert "0 deliveries are due now" in page.text


def test_recovering_locks_nothing_while_it_looks(browser: Client, alice: Person) -> None:
    """Looking takes a second where there are many events, and who writes back would wait."""
    endpoint = an_endpoint(alice)
    with CaptureQueriesContext(connection) as queries:
        browser.post(path_of(endpoint, "recover"), WHY | SINCE)
    said = [each["sql"] for each in queries]
    looks = [at for at, sql in enumerate(said) if "NOT EXISTS" in sql and "events_event" in sql]
    locks = [at for at, sql in enumerate(said) if "webhookendpoint" in sql and " FOR " in sql]
    assert looks
    assert locks
    assert max(looks) < min(locks)


@pytest.mark.parametrize("since", ["", "yesterday", "2999-01-01 00:00", "0001-01-01 00:00"])
def test_since_when(browser: Client, alice: Person, since: str) -> None:
    endpoint = an_endpoint(alice)
    answer = browser.post(path_of(endpoint, "recover"), WHY | {"since": since})
    assert answer.status_code == (302 if since.startswith("0001") else 200)


@pytest.mark.parametrize("role", ["support", "billing"])
def test_others_only_look(alice: Person, role: str) -> None:
    browser, endpoint = inside(make_staff(role)), an_endpoint(alice)
    delivery = a_delivery(endpoint, DeliveryState.FAILED)
    paths = {path_of(endpoint, verb): path_of(endpoint, "change") for verb in VERBS}
    paths[path_of(delivery, "send_again")] = path_of(delivery, "change")
    for path, page in paths.items():
        assert path not in browser.get(page).text
        assert browser.post(path, WHY | SINCE).status_code == 403
    assert not AuditEntry.objects.exists()
