"""The forms of what is answered about endpoints and deliveries: section 12 of the contract."""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypedDict

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from common.api.form import Bounds, Moment, OneOf, Spelled, Uuid
from events.models import (
    EVERY_TYPE,
    TEST,
    AttemptError,
    DeliveryState,
    DisabledReason,
    FailedReason,
    Type,
)
from webhooks import payload

ENDPOINT, DELIVERY = "we_", "dlv_"
TYPES = [*Type.values, TEST]
ENDED = [DeliveryState.SUCCEEDED.value, DeliveryState.FAILED.value]


@extend_schema_field({"type": "string", "pattern": f"^{ENDPOINT}[0-9a-f]{{32}}$"})
class EndpointIdField(serializers.CharField):
    """The id of an endpoint, as it is shown."""


@extend_schema_field({"type": "string", "pattern": f"^{DELIVERY}[0-9a-f]{{32}}$"})
class DeliveryIdField(serializers.CharField):
    """The id of a delivery, as it is shown."""


@extend_schema_field({"type": "string", "pattern": f"^{payload.PREFIX}[0-9a-f]{{32}}$"})
class EventIdField(serializers.CharField):
    """The id of an event, as it is shown."""


@extend_schema_field(
    {"type": "array", "items": {"type": "string", "enum": [*Type.values, EVERY_TYPE]}}
)
class TypesField(serializers.Field[Any, Any, Any, Any]):
    """Which events an endpoint gets."""


EndpointId = Annotated[str, Spelled(EndpointIdField)]
DeliveryId = Annotated[str, Spelled(DeliveryIdField)]
EventId = Annotated[str, Spelled(EventIdField)]


class LastDelivery(TypedDict):
    """The newest attempt of all that were made there."""

    status: Annotated[str, OneOf(ENDED)]
    at: Moment


class PublicEndpoint(TypedDict):
    """A URL of yours that is told of events."""

    id: EndpointId
    url: str
    description: str
    event_types: Annotated[list[str], Spelled(TypesField), "`*` is all, also those to come."]
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
    """One endpoint, without its secret."""

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

    id: DeliveryId
    event_id: Annotated[EventId, "The `webhook-id` of each attempt."]
    type: Annotated[str, OneOf(TYPES)]
    generation_id: Annotated[Uuid | None, "Null for a test."]
    url: str
    status: Annotated[str, OneOf(DeliveryState.values)]
    failed_reason: Annotated[str | None, OneOf(FailedReason.values)]
    attempts_made: Annotated[int, Bounds(0), "Of all rounds together."]
    next_attempt_at: Annotated[Moment | None, "Null when it is not pending."]
    last_status_code: Annotated[int | None, "Of the newest attempt."]
    last_error: Annotated[str | None, OneOf(AttemptError.values), "Of the newest attempt."]
    created_at: Moment
    finished_at: Moment | None


class DeliveryAnswer(PublicDelivery):
    """One delivery, without its attempts."""

    success: Literal[True]


class TestSent(TypedDict):
    """A test is on its way."""

    success: Literal[True]
    delivery_id: DeliveryId
    event_id: EventId


class RecoveredAnswer(TypedDict):
    """How much is due now."""

    success: Literal[True]
    count: Annotated[int, Bounds(0, 1000), "Deliveries that are due now."]
    has_more: Annotated[bool, "Whether another call would find more."]


class PublicAttempt(TypedDict):
    """One POST. Of its answer nothing but the status is kept."""

    at: Moment
    duration_ms: Annotated[int, Bounds(0), "In hundreds."]
    status_code: int | None
    error: Annotated[str | None, OneOf(AttemptError.values), "Null for a success."]
