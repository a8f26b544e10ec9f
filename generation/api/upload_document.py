"""The OpenAPI page's words about uploads."""

from __future__ import annotations

from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample
from rest_framework import serializers
from rest_framework.exceptions import UnsupportedMediaType

from accounts.authentication import AS_EVERYWHERE
from common.api.error_examples import WRONG_ENCODING, ErrorExample
from common.api.form import TrueField
from common.api.openapi import operation
from common.errors import InvalidRequest, ServiceUnavailable
from generation.inputs import upload_body, upload_decoding, uploads
from generation.inputs.image_limits import MAX_BYTES, MAX_SIDE

ID = "0193b6a2-5d1e-7c3a-9b0e-4f6a1d2c8e55"


class UploadSerializer(serializers.Serializer[Any]):
    """An image that we keep for its account."""

    success = TrueField()
    id = serializers.UUIDField()
    url = serializers.CharField(help_text="What to put into `source_image_urls`.")
    content_type = serializers.ChoiceField(["image/jpeg", "image/png"])
    width = serializers.IntegerField(min_value=1, max_value=MAX_SIDE)
    height = serializers.IntegerField(min_value=1, max_value=MAX_SIDE)
    size = serializers.IntegerField(min_value=1, max_value=MAX_BYTES, help_text="In bytes.")
    expires_at = serializers.DateTimeField(help_text="Until then it may be used.")


def _fault(error: type[InvalidRequest], summary: str, called: str) -> ErrorExample:
    return ErrorExample.of(error, summary, called=called)


_FORM = {
    "type": "object",
    "required": [upload_body.FIELD],
    "properties": {upload_body.FIELD: {"type": "string", "format": "binary"}},
}
upload = operation(
    "upload_image",
    summary="Upload a source image",
    auth=AS_EVERYWHERE,
    description=(
        "The body is the image: JPEG, PNG or WebP, of at most 20 MB, 25 megapixels and 8192 pixels "
        "a side, not animated; or a form with one file in the field `file`. The bytes decide what "
        "it is. The answer tells what we keep: the picture drawn anew, upright, without metadata, "
        "WebP as JPEG. Its `url` works in `source_image_urls` for 24 hours, as often as wanted."
    ),
    tags=["Uploads"],
    request={
        **dict.fromkeys(("image/jpeg", "image/png", "image/webp"), OpenApiTypes.BINARY),
        upload_body.MULTIPART: _FORM,
    },
    responses={201: UploadSerializer},
    examples=[
        OpenApiExample(
            "An image",
            {
                "success": True,
                "id": ID,
                "url": f"upload:{ID}",
                "content_type": "image/png",
                "width": 1280,
                "height": 720,
                "size": 812_345,
                "expires_at": "2026-11-23T12:00:00.123456Z",
            },
            response_only=True,
            status_codes=["201"],
        )
    ],
    alone=(400, 408, 413, 415),
    fails=[
        _fault(upload_body.NoImageSent, "No image, or a form with another number", "none"),
        _fault(upload_decoding.NotAnImage, "Another file, or a damaged one", "damaged"),
        _fault(upload_decoding.TooManyPixels, "Too many pixels", "pixels"),
        _fault(upload_decoding.Animated, "An animated image", "animated"),
        ErrorExample.of(upload_body.UploadTimeout, "It takes longer than 30 seconds to arrive"),
        ErrorExample.of(upload_body.UploadTooLarge, "It is over 20 MB"),
        ErrorExample.of(
            UnsupportedMediaType,
            "Content-Type is no image and no form",
            'Unsupported media type "text/plain" in request',
        ),
        WRONG_ENCODING,
        ErrorExample.of(
            uploads.UploadLimitReached,
            "200 uploads or 1000 MB in 24 hours",
            "At most 200 uploads in 24 hours, try again later",
            headers=("Retry-After",),
        ),
        ErrorExample.of(
            ServiceUnavailable,
            "All places for decoding are taken, or our storage refuses",
            headers=("Retry-After",),
            called="busy",
        ),
    ],
)
