"""The public forms of endpoints and deliveries: section 12 of the contract."""

from __future__ import annotations

import re
import uuid
from datetime import datetime
from typing import Annotated, Literal, TypedDict

from common.api.form import Bounds, Moment, OneOf
from common.errors import NotFound
from common.times import with_z
from events.models import (
    TEST,
    AttemptError,
    DefaultSecret,
    DeliveryState,
    DisabledReason,
    FailedReason,
    Type,
    WebhookAttempt,
    WebhookDelivery,
    WebhookEndpoint,
)
from webhooks import keys, payload

ENDPOINT, DELIVERY = "we_", "dlv_"
HEX = re.compile(r"[0-9a-f]{32}")
TYPES = [*Type.values, TEST]
ENDED = [DeliveryState.SUCCEEDED.value, DeliveryState.FAILED.value]


class LastDelivery(TypedDict):
    """The newest attempt of all that were made there."""

    status: Annotated[str, OneOf(ENDED)]
    at: Moment


class PublicEndpoint(TypedDict):
    """A URL of yours that is told of events."""

    id: str
    url: str
    description: str
    event_types: list[str]
    enabled: bool
    disabled_reason: Annotated[
        str | None,
        OneOf(DisabledReason.values),
        "`gone`: it answered 410. `failing`: a delivery used up its attempts, and nothing has "
        "succeeded for 5 days. Null, too, when you switched it off.",
    ]
    disabled_at: Moment | None
    secret_hint: Annotated[str, "The last 4 characters of the secret."]
    previous_secret_expires_at: Annotated[
        Moment | None, "Until then the former secret signs, too; null when there is none."
    ]
    api_version: Annotated[str, "The shape of what is sent; an endpoint keeps its own."]
    last_delivery: Annotated[LastDelivery | None, "Null before the first attempt."]
    created_at: Moment
    updated_at: Moment


class EndpointAnswer(PublicEndpoint):
    """One endpoint."""

    success: Literal[True]


class EndpointWithSecret(EndpointAnswer):
    """One endpoint and its secret."""

    secret: Annotated[str, "Shown only here. What is sent is signed with it."]


class PublicDefaultSecret(TypedDict):
    """What signs the events that are sent to the `webhook_url` of creates."""

    success: Literal[True]
    secret: str
    secret_hint: Annotated[str, "Its last 4 characters."]
    previous_secret_expires_at: Annotated[
        Moment | None, "Until then the former secret signs, too; null when there is none."
    ]


class PublicDelivery(TypedDict):
    """One event for one receiver, and what became of it."""

    id: str
    event_id: Annotated[str, "The `webhook-id` of each attempt."]
    type: Annotated[str, OneOf(TYPES)]
    generation_id: Annotated[str | None, "Null for a test."]
    url: str
    status: Annotated[str, OneOf(DeliveryState.values)]
    failed_reason: Annotated[str | None, OneOf(FailedReason.values)]
    attempts_made: Annotated[int, Bounds(0), "Of all rounds together."]
    next_attempt_at: Annotated[Moment | None, "Null when it is not pending."]
    last_status_code: Annotated[int | None, "Of the newest attempt."]
    last_error: Annotated[str | None, OneOf(AttemptError.values), "Of the newest attempt."]
    created_at: Moment
    finished_at: Moment | None


class PublicAttempt(TypedDict):
    """One POST. Of its answer nothing but the status is kept."""

    at: Moment
    duration_ms: Annotated[int, Bounds(0), "In hundreds."]
    status_code: int | None
    error: Annotated[str | None, OneOf(AttemptError.values), "Null for a success."]


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
    """``row`` has its event, and its endpoint if that has one."""
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
