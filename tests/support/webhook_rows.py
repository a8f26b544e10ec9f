"""Webhook endpoints and deliveries in any state, as rows: nothing is sent."""

from __future__ import annotations

import itertools
import uuid
from typing import Any

from django.utils import timezone

from events.models import (
    DeliveryState,
    DisabledReason,
    Event,
    FailedReason,
    Type,
    WebhookAttempt,
    WebhookDelivery,
    WebhookEndpoint,
)
from generation.models import Generation
from tests.support.deliveries import endpoint_of, event_of
from tests.support.people import Person

SECRET_PATH = "/hooks/s3cret-path"
URL = f"https://hooks.example.com:8443{SECRET_PATH}?token=t0ken"
HOST = "hooks.example.com:8443"
_numbers = itertools.count(1_000_000)  # of events that no generation of the test ended


def an_endpoint(person: Person, **columns: Any) -> WebhookEndpoint:
    given = {"url": URL, "event_types": list(Type.values), "created_by": person.user}
    return endpoint_of(person, **given | columns)


def switched_off(person: Person, reason: DisabledReason | None = None) -> WebhookEndpoint:
    return an_endpoint(
        person, enabled=False, disabled_reason=reason or "", disabled_at=timezone.now()
    )


def deleted(person: Person) -> WebhookEndpoint:
    row, now = an_endpoint(person), timezone.now()
    row.enabled, row.disabled_at, row.deleted_at, row.secret = False, now, now, ""
    row.save()
    return row


def an_event(person: Person | WebhookEndpoint, told: str = Type.COMPLETED) -> Event:
    """One whose generation is nobody's."""
    return Event.objects.create(
        account=person.account, type=told, sequence=next(_numbers), generation_id=uuid.uuid4()
    )


def a_delivery(
    to: WebhookEndpoint | Person,
    state: DeliveryState = DeliveryState.SUCCEEDED,
    *,
    of: Event | Generation | None = None,
    **columns: Any,
) -> WebhookDelivery:
    """To an endpoint, or to the ``webhook_url`` of a person's order."""
    now = timezone.now()
    if isinstance(of, Generation):
        of = event_of(of)
    event = of or an_event(to)
    values: dict[str, Any] = {"event": event, "account": to.account, "state": state}
    values |= {"type": event.type}
    if isinstance(to, WebhookEndpoint):
        values |= {"endpoint": to, "target": to.pk}
    else:
        values |= {"url": URL, "target": to.account.pk}
    if state == DeliveryState.PENDING:
        values |= {"next_attempt_at": now}
    else:
        values |= {"finished_at": now, "attempts_made": 1, "last_status_code": 200}
    if state == DeliveryState.FAILED:
        values |= {
            "failed_reason": FailedReason.EXHAUSTED,
            "last_status_code": 500,
            "last_error": "http_status",
        }
    return WebhookDelivery.objects.create(**values | columns)


def an_attempt(delivery: WebhookDelivery, number: int = 1, **columns: Any) -> WebhookAttempt:
    values = {"duration_ms": 300, "status_code": 200} | columns
    return WebhookAttempt.objects.create(delivery=delivery, number=number, **values)
