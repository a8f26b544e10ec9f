"""The OpenAPI page's words about deliveries."""

from __future__ import annotations

from drf_spectacular.utils import OpenApiParameter

from common.api.error_examples import BAD_LIMIT
from common.api.openapi import LIMIT, OFFSET, PAGE, operation
from events.models import DeliveryState
from webhooks import history
from webhooks.api import answers, error_examples, examples
from webhooks.api.endpoint_document import TAG

_ENDPOINT = OpenApiParameter(
    "endpoint_id",
    {"type": "string"},
    OpenApiParameter.PATH,
    description="The id of an endpoint, or `default`: what went to the `webhook_url` of creates.",
)
_ID = OpenApiParameter(
    "delivery_id",
    {"type": "string"},
    OpenApiParameter.PATH,
    description="`dlv_` and 32 hex digits, as the list shows it.",
)

list_deliveries = operation(
    "list_webhook_deliveries",
    summary="List what was sent",
    description="Newest first, in pages.",
    tags=TAG,
    parameters=[
        *(_ENDPOINT, LIMIT, OFFSET, PAGE),
        OpenApiParameter("status", str, enum=DeliveryState.values, description="Only these."),
        OpenApiParameter("type", str, enum=history.TYPES, description="Only these."),
    ],
    responses={200: answers.DeliveriesSerializer},
    examples=examples.DELIVERIES,
    fails=[BAD_LIMIT, *error_examples.BAD_FILTER],
)
get_delivery = operation(
    "get_webhook_delivery",
    summary="Look at a delivery",
    description="With its attempts, and the event as it would be sent now.",
    tags=TAG,
    parameters=[_ENDPOINT, _ID],
    responses={200: answers.DeliveryWithAttemptsSerializer},
    examples=examples.DELIVERY_WITH_ATTEMPTS,
)
retry_delivery = operation(
    "retry_webhook_delivery",
    summary="Send it again",
    description="Due now, with a new round of attempts and the same `webhook-id`; also one that "
    "is pending or has succeeded. 60 a minute an account.",
    tags=TAG,
    parameters=[_ENDPOINT, _ID],
    request=None,
    responses={202: answers.DeliveryAnswerSerializer},
    examples=examples.RETRY,
    fails=[error_examples.SWITCHED_OFF],
)
