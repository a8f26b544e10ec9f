"""What a receiver gets: the section ``webhooks`` of the OpenAPI document.

It is written out, because drf-spectacular cannot describe headers of a webhook. The bodies have the
schemas of the list of events and of a delivery's ``payload``.
"""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import OpenApiWebhook

from events.models import TEST, Type
from webhooks.api import examples
from webhooks.api.endpoint_document import TAG

_SIGNATURE = "v1,EPnl8nE6soUIX1EP7lX5sK2FmDdJs91Vqxm6X4ewVgY="
_HEADERS = {
    "webhook-id": (
        (
            "The id of the event, the same for every attempt and every endpoint: what comes with "
            "one that you know is a repetition."
        ),
        {"type": "string", "pattern": "^evt_[0-9a-f]{32}$"},
        examples.EVENT_ID,
    ),
    "webhook-timestamp": (
        "When this attempt was made, in Unix seconds. Refuse what is more than 5 minutes off.",
        {"type": "string", "pattern": "^[0-9]+$"},
        "1795348856",
    ),
    "webhook-signature": (
        (
            "One or two entries, separated by a space: `v1,` and base64 of HMAC-SHA256 over "
            "`{webhook-id}.{webhook-timestamp}.{raw body}`. The key is what base64 gives for the "
            "part of the secret behind `whsec_`. One entry that fits is enough; there are two "
            "while a secret is being changed."
        ),
        {"type": "string", "pattern": "^v1,[A-Za-z0-9+/]{43}=( v1,[A-Za-z0-9+/]{43}=)?$"},
        _SIGNATURE,
    ),
    "User-Agent": (
        "Who sends it.",
        {"type": "string", "const": "Reelmint-Webhooks/1"},
        "Reelmint-Webhooks/1",
    ),
}
_TOLD: dict[str, tuple[str, str, dict[str, Any]]] = {
    Type.COMPLETED: ("Event", "A generation is completed", examples.COMPLETED),
    Type.FAILED: ("Event", "A generation failed and was refunded", examples.FAILED),
    Type.CANCELED: ("Event", "A generation was canceled and refunded", examples.CANCELED),
    TEST: ("TestEvent", "A test of the endpoint", examples.TEST),
}
_ANSWERS = {
    "2XX": {
        "description": "It has arrived. Answer so, too, to a type that you do not know; the body "
        "is not read."
    },
    "410": {"description": "Send nothing more: the endpoint is switched off."},
    "default": {
        "description": "A failure, also a redirect and an answer after 15 seconds. It is sent "
        "again, 10 times in all over three days; a `Retry-After` counts up to an hour."
    },
}


def _operation(what: str) -> dict[str, Any]:
    component, summary, example = _TOLD[what]
    body = {"$ref": f"#/components/schemas/{component}"}
    only = {"type": "object", "properties": {"type": {"type": "string", "const": str(what)}}}
    return {
        "operationId": "receive_" + str(what).replace(".", "_"),
        "summary": summary,
        "tags": TAG,
        "parameters": [
            {
                "name": name,
                "in": "header",
                "required": True,
                "description": text,
                "schema": schema,
                "example": shown,
            }
            for name, (text, schema, shown) in _HEADERS.items()
        ],
        "requestBody": {
            "required": True,
            "content": {
                "application/json": {
                    "schema": {"allOf": [body, only]},
                    "examples": {"sent": {"summary": summary, "value": example}},
                }
            },
        },
        "responses": _ANSWERS,
        "security": [],
    }


completed = OpenApiWebhook(str(Type.COMPLETED), {"post": _operation(Type.COMPLETED)})
failed = OpenApiWebhook(str(Type.FAILED), {"post": _operation(Type.FAILED)})
canceled = OpenApiWebhook(str(Type.CANCELED), {"post": _operation(Type.CANCELED)})
test = OpenApiWebhook(TEST, {"post": _operation(TEST)})
