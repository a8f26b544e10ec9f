"""The OpenAPI page's words about endpoints."""

from __future__ import annotations

from typing import Any

from drf_spectacular.extensions import OpenApiSerializerFieldExtension
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse

from common.api.error_examples import BAD_LIMIT
from common.api.openapi import LIMIT, OFFSET, PAGE, header, operation
from common.api.openapi_fields import nullable
from webhooks.api import answers, error_examples, examples, requests

TAG = ["Webhooks"]


class TypesExtension(OpenApiSerializerFieldExtension):  # its registration hook is not annotated
    target_class = "webhooks.api.requests.EventTypesField"

    def map_serializer_field(self, auto_schema: Any, direction: str) -> dict[str, Any]:
        items = {"type": "string", "enum": requests.WANTED}
        return nullable({"type": "array", "minItems": 1, "items": items})


ID = OpenApiParameter(
    "endpoint_id",
    {"type": "string"},
    OpenApiParameter.PATH,
    description="The id that the create answered, `we_` and 32 hex digits.",
)
_LOCATION = header("Location", "The path of the endpoint.", [201], {"type": "string"})


create_endpoint = operation(
    "create_webhook_endpoint",
    summary="Make a webhook endpoint",
    description="Each end of a generation is sent there from now on. Its secret is shown only "
    "here: what is sent is signed with it.",
    tags=TAG,
    parameters=[_LOCATION],
    request=requests.NewEndpointSerializer,
    responses={201: answers.EndpointWithSecretSerializer},
    examples=examples.CREATE,
    fails=[*error_examples.BAD_ENDPOINT, error_examples.TOO_MANY],
)
list_endpoints = operation(
    "list_webhook_endpoints",
    summary="List webhook endpoints",
    description="Newest first, in pages.",
    tags=TAG,
    parameters=[LIMIT, OFFSET, PAGE],
    responses={200: answers.EndpointsSerializer},
    examples=examples.LIST,
    fails=[BAD_LIMIT],
)
get_endpoint = operation(
    "get_webhook_endpoint",
    summary="Get a webhook endpoint",
    tags=TAG,
    parameters=[ID],
    responses={200: answers.EndpointAnswerSerializer},
    examples=examples.ONE,
)
change_endpoint = operation(
    "change_webhook_endpoint",
    summary="Change a webhook endpoint",
    description="What is absent stays as it is. Switched off, what waits for it has failed; "
    "switched on, it gets what ends from then on, and `recover` sends what it missed.",
    tags=TAG,
    parameters=[ID],
    request=requests.EndpointChangesSerializer,
    responses={200: answers.EndpointAnswerSerializer},
    examples=examples.CHANGE,
    fails=error_examples.BAD_ENDPOINT,
)
delete_endpoint = operation(
    "delete_webhook_endpoint",
    summary="Delete a webhook endpoint",
    tags=TAG,
    parameters=[ID],
    responses={204: OpenApiResponse(description="Nothing more is sent there")},
)
rotate = operation(
    "rotate_webhook_secret",
    summary="Change the secret of an endpoint",
    description="The old secret signs, too, for `keep_old_for_hours`: each attempt has two "
    "signatures meanwhile, and one that fits is enough.",
    tags=TAG,
    parameters=[ID],
    request=requests.RotationSerializer,
    responses={200: answers.EndpointWithSecretSerializer},
    examples=examples.ROTATE,
    fails=[error_examples.BAD_ROTATION, error_examples.IN_PROGRESS],
)
send_test = operation(
    "test_webhook_endpoint",
    summary="Send a test",
    description="A `webhook_endpoint.test` to this endpoint alone, also while it is switched "
    "off; 10 a minute an account.",
    tags=TAG,
    parameters=[ID],
    request=None,
    responses={202: answers.TestSentSerializer},
    examples=examples.SENT,
)
recover = operation(
    "recover_webhooks",
    summary="Send what was missed",
    description="Due now are the failed deliveries of events of that time, and events of its "
    "types, none older than the endpoint, that found it switched off. At most 1,000 a call: "
    "while `has_more` is true, ask again.",
    tags=TAG,
    parameters=[ID],
    request=requests.RecoverySerializer,
    responses={202: answers.RecoveredSerializer},
    examples=examples.RECOVER,
    fails=[*error_examples.BAD_WINDOW, error_examples.SWITCHED_OFF],
)
default_secret = operation(
    "get_default_webhook_secret",
    summary="Get the secret of `webhook_url`",
    description="What goes to the `webhook_url` of creates is signed with it.",
    tags=TAG,
    responses={200: answers.DefaultSecretSerializer},
    examples=examples.DEFAULT,
)
rotate_default = operation(
    "rotate_default_webhook_secret",
    summary="Change the secret of `webhook_url`",
    tags=TAG,
    request=requests.RotationSerializer,
    responses={200: answers.DefaultSecretSerializer},
    examples=examples.ROTATE_DEFAULT,
    fails=[error_examples.BAD_ROTATION, error_examples.IN_PROGRESS],
)
