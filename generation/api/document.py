"""The OpenAPI page's words about generations."""

from __future__ import annotations

from typing import Any

from drf_spectacular.extensions import OpenApiSerializerExtension, OpenApiSerializerFieldExtension
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse

from accounts.authentication import AS_EVERYWHERE
from common.api.error_examples import BAD_KEY, BAD_LIMIT, bad_field
from common.api.openapi import (
    LIMIT,
    OFFSET,
    PAGE,
    REPLAYED,
    header,
    idempotency_key,
    operation,
)
from common.api.openapi_fields import nullable
from common.fetchable import MAX_URL_LENGTH
from generation import kinds, progress
from generation.api import answers, error_examples, examples, offer_examples, wait_document
from generation.api.requests import QuoteRequestSerializer
from generation.models import CatalogModel, states

TAG = ["Generations"]

# The URLs that common/safe_fetch.py takes, as far as a regular expression can tell. It cannot tell
# whether a host that ends in a number is a public address.
MOST_IMAGES = 3  # of any model
URL = (
    r"^https?://([A-Za-z0-9_-]{1,63}\.)*[A-Za-z][A-Za-z0-9_-]{0,62}"
    r"(:(80|443))?([/?#][!-~]*)?$"
)
UPLOAD = r"^upload:[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}$"
# Whose values are the catalog's. They are filled in when it is served (generation/api/schema.py).
TEXTS = ("type", "video_model", "aspect_ratio", "size", "resolution")


class CreateExtension(OpenApiSerializerExtension):  # its registration hook is not annotated
    """The texts that have a list of values: any other is refused, also an empty one."""

    target_class = "generation.api.requests._CreateSerializer"
    match_subclasses = True

    def get_name(self, auto_schema: Any, direction: str) -> str:
        """``Video``, ``Image`` or ``Quote``; drf-spectacular adds ``Request``."""
        return type(self.target).__name__.removesuffix("RequestSerializer")

    def map_serializer(self, auto_schema: Any, direction: str) -> dict[str, Any]:
        schema: dict[str, Any] = auto_schema._map_serializer(
            self.target, direction, bypass_extensions=True
        )
        for name in TEXTS:
            if name in schema["properties"]:
                text = self.target.fields[name].help_text
                schema["properties"][name] = nullable({"type": "string"}) | {"description": text}
        return schema


class SourceImagesExtension(OpenApiSerializerFieldExtension):  # as above
    """``null`` and ``[]`` are the same as none."""

    target_class = "generation.api.requests.SourceImageUrlsField"

    def map_serializer_field(self, auto_schema: Any, direction: str) -> dict[str, Any]:
        url = {"type": "string", "maxLength": MAX_URL_LENGTH, "pattern": URL}
        items = {"anyOf": [url, {"type": "string", "pattern": UPLOAD}]}
        return nullable({"type": "array", "maxItems": MOST_IMAGES, "items": items})


_ID = OpenApiParameter(
    "generation_id",
    {"type": "string"},
    OpenApiParameter.PATH,
    description="The UUID that the create answered.",
)
_CREATED = [
    idempotency_key(
        "one key for each generation you want: repeat a request with its key, and you get the "
        "first answer again, charged once."
    ),
    header("Location", "The path of its status.", [201], {"type": "string"}),
    REPLAYED,
]
_ETAG = header("ETag", "Changes when the body does.", [200, 304], {"type": "string"})
_CONDITION = OpenApiParameter(
    "If-None-Match",
    str,
    OpenApiParameter.HEADER,
    description="The `ETag` you have; 304 when nothing changed.",
)
_WANTED = OpenApiParameter(
    "If-Match", str, OpenApiParameter.HEADER, description="Else 412; compared strongly."
)
_WAIT = header(
    "Retry-After",
    "While processing: when to ask again, in seconds; longer the longer it is `queued`, shorter "
    "the sooner it should be ready.",
    [200, 304],
    {"type": "integer", "minimum": 1, "maximum": progress.LONGEST_WAIT},
)
_RANGE = OpenApiParameter(
    "Range", str, OpenApiParameter.HEADER, description="One byte range, such as `bytes=0-1023`."
)

create_video = operation(
    "create_video",
    summary="Make a video",
    tags=TAG,
    auth=AS_EVERYWHERE,
    parameters=_CREATED,
    responses={201: answers.VideoEnvelopeSerializer},
    examples=examples.CREATE_VIDEO,
    fails=[
        *(error_examples.BAD_PROMPT + error_examples.BAD_VIDEO),
        *(BAD_KEY, error_examples.POOR_VIDEO, error_examples.TOO_DEAR),
        *error_examples.REFUSED,
    ],
)
quote = operation(
    "quote",
    summary="Ask what it would cost",
    description="The body of a create and its `type`. It is judged like the create; nothing is "
    "charged or kept. To get the quoted price or nothing, send it as `max_credits` of the create.",
    tags=TAG,
    request=QuoteRequestSerializer,
    responses={200: answers.QuoteSerializer},
    examples=offer_examples.QUOTE,
    fails=[
        error_examples.BAD_TYPE,
        *(error_examples.BAD_PROMPT + error_examples.BAD_VIDEO),
    ],
)
create_image = operation(
    "create_image",
    also={"/api/v1/generate/image/": "create_image_by_name"},
    summary="Make an image",
    tags=TAG,
    auth=AS_EVERYWHERE,
    parameters=_CREATED,
    responses={201: answers.ImageEnvelopeSerializer},
    examples=examples.CREATE_IMAGE,
    fails=[
        *(*error_examples.BAD_PROMPT, error_examples.BAD_SIZE),
        *(BAD_KEY, error_examples.POOR_IMAGE, error_examples.TOO_DEAR),
        *error_examples.REFUSED,
    ],
)
status = operation(
    "get_generation",
    summary="Watch a generation",
    tags=TAG,
    auth=AS_EVERYWHERE,
    parameters=[_ID, *wait_document.HELD, _CONDITION, _WANTED, _ETAG, _WAIT],
    responses={
        200: answers.GenerationSerializer,
        304: OpenApiResponse(description="Nothing changed since that `ETag`"),
    },
    examples=examples.STATUS,
    fails=[error_examples.CHANGED, wait_document.BAD_WAIT],
)
download = operation(
    "download_output",
    summary="Download the output",
    tags=TAG,
    parameters=[
        *(_ID, _RANGE, _CONDITION, _WANTED),
        header("ETag", "The file's.", [200, 206, 304], {"type": "string"}),
        header("Content-Disposition", "The file's name.", [200, 206], {"type": "string"}),
        header("Accept-Ranges", "`bytes`", [200, 206], {"type": "string"}),
        header("Content-Range", "Which bytes these are.", [206], {"type": "string"}),
        header("Location", "A signed link of the bucket.", [302], {"type": "string"}),
    ],
    responses={
        **{
            (code, file.mime_type): OpenApiResponse(OpenApiTypes.BINARY, description=text)
            for code, text in ((200, "The file"), (206, "The asked range of it"))
            for file in kinds.FILES
        },
        302: OpenApiResponse(
            description="To the file, where outputs are kept in a bucket; good for 15 minutes"
        ),
        304: OpenApiResponse(description="You have the file with that `ETag`"),
    },
    fails=[
        *error_examples.NO_FILE,
        error_examples.EXPIRED,
        error_examples.CHANGED,
        error_examples.NO_SUCH_RANGE,
    ],
)
cancel = operation(
    "cancel_generation",
    summary="Cancel a generation",
    description="Cancel; again is fine.",
    tags=TAG,
    parameters=[_ID],
    request=None,
    responses={200: answers.GenerationSerializer},
    examples=examples.CANCEL,
    fails=[error_examples.NOT_CANCELABLE],
)
history = operation(
    "list_generations",
    summary="List generations",
    description="Newest first, in pages.",
    tags=TAG,
    parameters=[
        *(LIMIT, OFFSET, PAGE),
        OpenApiParameter("type", str, enum=CatalogModel.Kind.values, description="Only these."),
        OpenApiParameter("status", str, enum=states.PUBLIC_STATUSES, description="Only these."),
    ],
    responses={200: answers.HistorySerializer},
    examples=examples.HISTORY,
    fails=[
        BAD_LIMIT,
        bad_field(
            "status",
            "Invalid status. Must be one of: processing, completed, failed, canceled",
        ),
    ],
)
models = operation(
    "list_models",
    also={
        "/api/v1/models/video/": "list_video_models",
        "/api/v1/models/image/": "list_image_models",
    },
    summary="List models and prices",
    tags=["Models"],
    responses={200: answers.CatalogSerializer},
    examples=offer_examples.MODELS,
)
