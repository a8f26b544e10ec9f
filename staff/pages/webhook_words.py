"""How operators' pages show endpoints and deliveries: never more of a URL than its host.

The path or query of a receiver's URL may be a secret of the customer's.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from django.db.models import QuerySet
from django.urls import reverse
from django.utils.timesince import timesince, timeuntil

from events.models import DeliveryState, WebhookAttempt, WebhookDelivery, WebhookEndpoint
from staff.pages.amounts import short

LABELS = {
    DeliveryState.SUCCEEDED: "success",
    DeliveryState.FAILED: "danger",
    DeliveryState.PENDING: "info",
}


def with_receivers(deliveries: QuerySet[WebhookDelivery]) -> QuerySet[WebhookDelivery]:
    """With what a line of them shows. Sealed secrets are not even read."""
    read = deliveries.select_related("event", "endpoint")
    return read.defer("endpoint__secret", "endpoint__previous_secret")


def host_of(url: str) -> str:
    """Host and port; nothing that stands behind them."""
    try:
        return urlsplit(url).netloc.rpartition("@")[2]
    except ValueError:
        return "–"


def receiver_of(delivery: WebhookDelivery) -> str:
    """The host that the delivery goes to."""
    endpoint = delivery.endpoint
    return host_of(endpoint.url if endpoint else delivery.url or "")


def outcome(status_code: int | None, error: str) -> str:
    """What came of an attempt: the receiver's status, or our word for what went wrong."""
    return " ".join(str(word) for word in (status_code, error) if word) or "–"


def last_of(delivery: WebhookDelivery) -> str:
    """What came of the newest attempt."""
    return outcome(delivery.last_status_code, delivery.last_error)


def next_of(delivery: WebhookDelivery, now: datetime) -> str:
    """When it is sent; while one is under way, until when its worker has time."""
    due = delivery.next_attempt_at
    if due is None:
        return "–"
    if due <= now:
        late = (now - due) // timedelta(seconds=1)
        return f"due since {late} s" if late < 60 else f"due since {timesince(due, now, depth=1)}"
    until = f"in {timeuntil(due, now, depth=1)}"
    return f"under way, leased for {until.removeprefix('in ')}" if delivery.lease_token else until


def line_of(delivery: WebhookDelivery, now: datetime) -> dict[str, Any]:
    """One line of a page's table of deliveries; the event and the endpoint are read already."""
    return {
        "id": f"dlv_{delivery.pk.hex}",
        "page": reverse("admin:events_webhookdelivery_change", args=[delivery.pk]),
        "type": delivery.event.type,
        "to": "an endpoint" if delivery.endpoint_id else "the order's webhook_url",
        "host": short(receiver_of(delivery)),
        "state": delivery.state,
        "label": LABELS[DeliveryState(delivery.state)],
        "reason": delivery.failed_reason,
        "attempts": delivery.attempts_made,
        "last": last_of(delivery),
        "next": next_of(delivery, now),
        "created_at": delivery.created_at,
    }


def attempt_of(attempt: WebhookAttempt) -> dict[str, Any]:
    """One line of the table of attempts."""
    return {
        "number": attempt.number,
        "at": attempt.at,
        "took": f"{attempt.duration_ms / 1000:.1f} s",
        "outcome": outcome(attempt.status_code, attempt.error),
        "is_good": not attempt.error,
    }


def endpoint_page(endpoint: WebhookEndpoint) -> str:
    return reverse("admin:events_webhookendpoint_change", args=[endpoint.pk])
