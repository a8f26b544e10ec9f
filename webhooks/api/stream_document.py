"""The OpenAPI page's words about streams."""

from __future__ import annotations

from drf_spectacular.utils import OpenApiExample, OpenApiParameter, OpenApiResponse

from accounts.authentication import SecretScheme
from common.api.error_examples import ErrorExample
from common.api.openapi import header, operation
from webhooks.waiter.errors import TooManyStreams

MEDIA_TYPE = "text/event-stream"
_STREAM = """retry: 3000

id: 4.7
event: status
data: {"success":true,"status":"processing","progress":0.35}

id: 6.20
event: status
data: {"success":true,"status":"completed","progress":1.0}

id: 6.20
event: done
data: {"status":"completed"}

"""

# Before OpenAPI 3.2 some programs take the schema for that of the whole text, and others for that
# of each event in it.
_FRAMES = {
    "anyOf": [
        {"type": "string", "description": "The stream as it comes."},
        {
            "type": "object",
            "description": "One of its events.",
            "properties": {
                "id": {"type": "string"},
                "event": {"type": "string", "enum": ["status", "done", "error"]},
                "data": {"type": "string", "description": "JSON on one line."},
                "retry": {"type": "integer", "minimum": 1},
            },
            "required": ["event", "data"],
        },
    ]
}

stream = operation(
    "stream_generation",
    summary="Stream a generation",
    description="Server-sent events. Each `status` has the flat body of the status as `data`, at "
    "the start and whenever something has changed; `done` comes after the end, `error` with an "
    "error object when something goes wrong later. A stream may end without `done`: come back "
    "with the last `id` after the milliseconds of `retry`. Where nobody can hold it, it ends at "
    "once. Read it in browsers with `fetch`, since keys are taken from headers alone.",
    tags=["Generations"],
    # as everywhere; drf-spectacular takes the view's own class for another scheme of the same name
    auth=[{name: []} for name in SecretScheme.name],
    parameters=[
        OpenApiParameter(
            "generation_id",
            {"type": "string"},
            OpenApiParameter.PATH,
            description="The UUID that the create answered.",
        ),
        OpenApiParameter(
            "Last-Event-ID",
            str,
            OpenApiParameter.HEADER,
            description="The `id` of the last frame you have: it is not sent again.",
        ),
        OpenApiParameter("after", str, description="The same; the header wins."),
        header("X-Accel-Buffering", "`no`", [200], {"type": "string", "const": "no"}),
    ],
    responses={
        (200, MEDIA_TYPE): OpenApiResponse(_FRAMES, description="The frames"),
        204: OpenApiResponse(description="It has ended, and you have its last frame"),
    },
    examples=[OpenApiExample("A stream", _STREAM, response_only=True, media_type=MEDIA_TYPE)],
    fails=[ErrorExample.of(TooManyStreams, "50 are held for the account, or the server is full")],
)
