"""Examples of what is refused about endpoints, for the OpenAPI document."""

from __future__ import annotations

from common.api.error_examples import ErrorExample, bad_field
from events.models import DeliveryState
from webhooks import history, refusals
from webhooks.api import requests

BAD_ENDPOINT = [
    bad_field("url", "Url must be an https URL", "Must be an https URL"),
    bad_field("event_types", requests.BAD_TYPES),
]
TOO_MANY = ErrorExample.of(
    refusals.TooManyWebhookEndpoints, "The account has all the endpoints it may have"
)
BAD_ROTATION = bad_field(
    "keep_old_for_hours", f"Keep old for hours m{requests.BAD_HOURS[1:]}", requests.BAD_HOURS
)
IN_PROGRESS = ErrorExample.of(
    refusals.RotationInProgress,
    "Two secrets are valid, and `force` was not sent",
    extra={"previous_secret_expires_at": "2026-11-23T12:00:00.123456Z"},
)
BAD_WINDOW = [
    bad_field("since", "Since is required", "This field is required", "missing"),
    bad_field("since", f"Since m{requests.BAD_WINDOW[1:]}", requests.BAD_WINDOW),
]
SWITCHED_OFF = ErrorExample.of(refusals.EndpointDisabled, "It is switched off")
BAD_FILTER = [
    bad_field("status", f"Invalid status. Must be one of: {', '.join(DeliveryState.values)}"),
    bad_field("type", f"Invalid type. Must be one of: {', '.join(history.TYPES)}"),
]
