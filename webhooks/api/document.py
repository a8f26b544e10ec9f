"""The OpenAPI page's words about events."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema_field
from rest_framework import serializers

from common.api.error_examples import BAD_LIMIT, ErrorExample, bad_field
from common.api.form import TrueField
from common.api.openapi import LIMIT, header, operation
from events.models import Type
from generation.api import answers, examples
from webhooks.api.errors import AFTER, EventsExpired

TAG = ["Events"]
SPELLED = "^evt_[0-9a-f]{32}$"
TYPES = ", ".join(Type.values)


@extend_schema_field({"type": "string", "const": "event"})
class ObjectField(serializers.CharField):
    """What it is, in one word."""


class EventSerializer(serializers.Serializer[Any]):
    """The end of a generation. There is exactly one of each."""

    id = serializers.RegexField(SPELLED)
    object = ObjectField()
    type = serializers.ChoiceField(Type.values, help_text="More may come: ignore what is unknown.")
    timestamp = serializers.DateTimeField()
    created_at = serializers.IntegerField(help_text="The same moment in Unix seconds.")

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        return super().get_fields() | {
            "data": answers.GenerationSerializer(
                help_text="The generation as its status tells it now."
            )
        }


class EventsSerializer(serializers.Serializer[Any]):
    """A page of events, oldest first."""

    success = TrueField()
    results = EventSerializer(many=True)
    cursor = serializers.RegexField(
        SPELLED,
        allow_null=True,
        help_text="The next `after`: whoever goes on from here misses none and sees none twice. "
        "Null while there is no event.",
    )
    has_more = serializers.BooleanField()
    next = serializers.URLField(allow_null=True, help_text="The next page; null when it is empty.")


_ID = "evt_019ab84de3707c9eb4a3f3f8d6a2c915"
_EVENT: dict[str, Any] = {
    "id": _ID,
    "object": "event",
    "type": "generation.completed",
    "timestamp": "2026-11-22T12:00:55Z",
    "created_at": 1795348855,
    "data": examples.COMPLETED,
}
_NEXT = f"{examples.HOST}/api/v1/events/?after={_ID}&limit=1"
_PAGE = {"success": True, "results": [_EVENT], "cursor": _ID, "has_more": True, "next": _NEXT}
_END = {"success": True, "results": [], "cursor": _ID, "has_more": False, "next": None}

events = operation(
    "list_events",
    summary="List what has ended",
    description="The end of each generation, oldest first. Ask with the `cursor` of the answer "
    "before as `after`; ask with `latest` for where to begin when nothing older is of interest.",
    tags=TAG,
    parameters=[
        OpenApiParameter(
            "after",
            {"type": "string", "pattern": "^(latest|evt_[0-9a-f]{32})$"},
            description="The id of an event, or `latest`. Absent: from the oldest that is kept.",
        ),
        LIMIT,
        OpenApiParameter("type", str, enum=Type.values, description="Only these."),
        header(
            "Retry-After",
            "Without a next page: when to ask again, in seconds.",
            [200],
            {"type": "integer", "minimum": 1},
        ),
    ],
    responses={200: EventsSerializer},
    examples=[
        OpenApiExample("A page", _PAGE, response_only=True),
        OpenApiExample("Nothing new", _END, response_only=True),
    ],
    fails=[
        BAD_LIMIT,
        bad_field("after", f"After m{AFTER[1:]}", AFTER),
        bad_field("type", f"Invalid type. Must be one of: {TYPES}"),
        ErrorExample.of(EventsExpired, "`after` is older than what is kept"),
    ],
)
