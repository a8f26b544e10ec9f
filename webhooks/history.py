"""Lists of deliveries, and one delivery with its attempts."""

from __future__ import annotations

import uuid

from django.db.models import QuerySet

from common.errors import NotFound
from events.models import TEST, DeliveryState, Type, WebhookAttempt, WebhookDelivery

MOST_ATTEMPTS = 50  # shown of one delivery
TYPES = (*Type.values, TEST)
Rows = QuerySet[WebhookDelivery]


def of_target(target: uuid.UUID) -> Rows:
    """The deliveries to an endpoint, or to the ``webhook_url`` of an account's creates."""
    return WebhookDelivery.objects.filter(target=target).select_related("event", "endpoint")


def filtered(target: uuid.UUID, status: str | None, what: str | None) -> tuple[Rows, list[Rows]]:
    """The rows, and the same rows in parts: each part has an index in the list's order.

    Without a filter the index ``delivery_of_target`` serves all rows, and there are no parts.
    """
    rows = of_target(target)
    if status is not None:
        rows = rows.filter(state=status)
    if what is not None:
        rows = rows.filter(type=what)
    if status is None and what is None:
        return rows, []
    parts = [
        WebhookDelivery.objects.filter(target=target, state=state, type=each)
        for state in DeliveryState.values
        for each in TYPES
        if status in (None, state) and what in (None, each)
    ]
    return rows, parts


def one(target: uuid.UUID, delivery_id: uuid.UUID) -> WebhookDelivery:
    """The delivery. Raises NotFound if it went elsewhere."""
    found = of_target(target).filter(pk=delivery_id).first()
    if found is None:
        raise NotFound
    return found


def attempts(delivery: WebhookDelivery) -> list[WebhookAttempt]:
    """The last ones, the oldest of them first."""
    newest = WebhookAttempt.objects.filter(delivery=delivery).order_by("-number")[:MOST_ATTEMPTS]
    return list(newest)[::-1]
