"""Endpoints and deliveries, written into their tables as verbs leave them there."""

from __future__ import annotations

from typing import Any

from django.utils import timezone

from common import sealing
from events.models import TEST, DefaultSecret, Event, WebhookDelivery, WebhookEndpoint
from generation.models import Generation
from tests.support.people import Person
from webhooks import signing

URL = "https://hooks.example.com/in"


def secret_columns(secret: str) -> dict[str, str]:
    return {"secret": sealing.seal(secret), "secret_hint": secret[-4:]}


def endpoint_of(person: Person, **columns: Any) -> WebhookEndpoint:
    """An endpoint that wants every type."""
    secret = columns.pop("secret", None) or signing.new_secret()
    given = {"url": URL, "event_types": ["*"], **secret_columns(secret), **columns}
    return WebhookEndpoint.objects.create(account=person.account, **given)


def default_of(person: Person, secret: str) -> DefaultSecret:
    """The secret that signs what goes to the URLs of the person's orders."""
    return DefaultSecret.objects.create(account=person.account, **secret_columns(secret))


def delivery_to(
    target: WebhookEndpoint | str, event: Event, due: bool = True, **columns: Any
) -> WebhookDelivery:
    """A pending one of an event, for an endpoint or for the URL of an order."""
    given: dict[str, Any] = {"event": event, "account_id": event.account_id, "type": event.type}
    if isinstance(target, WebhookEndpoint):
        given |= {"endpoint": target, "target": target.pk}
    else:
        given |= {"url": target, "target": event.account_id}
    if due:
        given["next_attempt_at"] = timezone.now()
    return WebhookDelivery.objects.create(**given | columns)


def event_of(generation: Generation) -> Event:
    return Event.objects.get(generation_id=generation.pk)


def trial_of(person: Person) -> Event:
    """The event of a test, which has no number."""
    return Event.objects.create(account=person.account, type=TEST)
