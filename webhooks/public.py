"""The public forms of endpoints and deliveries: section 12 of the contract."""

from __future__ import annotations

import re
import uuid
from datetime import datetime

from common.errors import NotFound
from common.times import with_z
from events.models import (
    DefaultSecret,
    DeliveryState,
    WebhookAttempt,
    WebhookDelivery,
    WebhookEndpoint,
)
from webhooks import keys, payload
from webhooks.forms import (
    DELIVERY,
    ENDPOINT,
    DeliveryAnswer,
    EndpointAnswer,
    EndpointWithSecret,
    LastDelivery,
    PublicAttempt,
    PublicDefaultSecret,
    PublicDelivery,
    PublicEndpoint,
)

HEX = re.compile(r"[0-9a-f]{32}")


def endpoint_id(endpoint: uuid.UUID) -> str:
    return ENDPOINT + endpoint.hex


def delivery_id(delivery: uuid.UUID) -> str:
    return DELIVERY + delivery.hex


def parse_id(prefix: str, text: str) -> uuid.UUID:
    """The id that was shown with this prefix. Raises NotFound for everything else."""
    digits = text.removeprefix(prefix)
    if digits == text or HEX.fullmatch(digits) is None:
        raise NotFound
    return uuid.UUID(digits)


def endpoint(row: WebhookEndpoint) -> PublicEndpoint:
    """``row`` has the database's time as ``now``."""
    return {
        "id": endpoint_id(row.pk),
        "url": row.url,
        "description": row.description,
        "event_types": row.event_types,
        "enabled": row.enabled,
        "disabled_reason": row.disabled_reason or None,
        "disabled_at": _moment(row.disabled_at),
        "secret_hint": row.secret_hint,
        "previous_secret_expires_at": _moment(keys.previous_ends_at(row, row.now)),
        "api_version": row.api_version,
        "last_delivery": _last_delivery(row),
        "created_at": with_z(row.created_at),
        "updated_at": with_z(row.updated_at),
    }


def endpoint_answer(row: WebhookEndpoint) -> EndpointAnswer:
    return {"success": True, **endpoint(row)}


def endpoint_with_secret(row: WebhookEndpoint, secret: str) -> EndpointWithSecret:
    """For the two answers that show it."""
    return {**endpoint_answer(row), "secret": secret}


def default_secret(row: DefaultSecret, secret: str) -> PublicDefaultSecret:
    """``row`` has the database's time as ``now``."""
    return {
        "success": True,
        "secret": secret,
        "secret_hint": row.secret_hint,
        "previous_secret_expires_at": _moment(keys.previous_ends_at(row, row.now)),
    }


def delivery(row: WebhookDelivery) -> PublicDelivery:
    """A delivery as customers see it. ``row`` comes with its event, and its endpoint if any."""
    return {
        "id": delivery_id(row.pk),
        "event_id": payload.shown_id(row.event_id),
        "type": row.event.type,
        "generation_id": None if row.event.generation_id is None else str(row.event.generation_id),
        "url": (row.url or "") if row.endpoint is None else row.endpoint.url,
        "status": row.state,
        "failed_reason": row.failed_reason or None,
        "attempts_made": row.attempts_made,
        "next_attempt_at": _moment(row.next_attempt_at),
        "last_status_code": row.last_status_code,
        "last_error": row.last_error or None,
        "created_at": with_z(row.created_at),
        "finished_at": _moment(row.finished_at),
    }


def delivery_answer(row: WebhookDelivery) -> DeliveryAnswer:
    return {"success": True, **delivery(row)}


def attempt(row: WebhookAttempt) -> PublicAttempt:
    return {
        "at": with_z(row.at),
        "duration_ms": row.duration_ms,
        "status_code": row.status_code,
        "error": row.error or None,
    }


def _last_delivery(row: WebhookEndpoint) -> LastDelivery | None:
    if row.last_attempt_at is None:
        return None
    state = DeliveryState.SUCCEEDED if row.last_attempt_succeeded else DeliveryState.FAILED
    return {"status": state.value, "at": with_z(row.last_attempt_at)}


def _moment(moment: datetime | None) -> str | None:
    return None if moment is None else with_z(moment)
