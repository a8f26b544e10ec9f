"""The body of a delivery, made from the rows as they are now. No body is stored."""

from __future__ import annotations

import json
from typing import Any

from django.conf import settings

from events.models import Event, WebhookDelivery
from generation.api import lookup
from webhooks import payload

ENDPOINT_PREFIX = "we_"
TEST_MESSAGE = "This is a test"


class EventWithoutGenerationError(Exception):
    """The generation of an event is missing, though generations are never deleted."""


def body_of(delivery: WebhookDelivery, base_url: str = "") -> dict[str, Any]:
    """The event as it would be sent now.

    Links begin with ``base_url``: a worker has no request to take a host from. There is one shape
    so far; the endpoint's ``api_version`` will choose between two.
    """
    event, base = delivery.event, base_url or settings.PUBLIC_BASE_URL
    if event.generation_id is None:
        endpoint = f"{ENDPOINT_PREFIX}{delivery.target.hex}"  # a test goes to no other place
        return {
            **payload.envelope(event),
            "data": {"webhook_endpoint_id": endpoint, "message": TEST_MESSAGE},
        }
    generation = lookup.of_account(event.account_id, event.generation_id)
    if generation is None:
        raise EventWithoutGenerationError(f"event {event.pk}")
    generation.account = delivery.account  # says how long outputs are kept
    return {**payload.to_dict(event, generation, generation.now, base)}


def encoded(body: dict[str, Any]) -> bytes:
    """The bytes that are signed and sent."""
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()


def message_id(event: Event) -> str:
    """The ``webhook-id``: the same for every attempt and every receiver."""
    return payload.shown_id(event.pk)
