"""The examples of the OpenAPI page, in the words of the contract."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import OpenApiExample

from common.failures import Failure, bad_field

ID = "7d0f6c1e-6a5b-4a55-9f0e-2b8f0f6b1a10"
HOST = "https://api.example.com"
CAT = "https://example.com/cat.jpg"
SIGNED = "expires=1795354200&signature=5f3b"


def _taken(name: str, value: dict[str, Any]) -> OpenApiExample:
    return OpenApiExample(name, value, request_only=True)


def _given(name: str, value: dict[str, Any], status: int = 200) -> OpenApiExample:
    return OpenApiExample(name, value, response_only=True, status_codes=[str(status)])


_CREATED: dict[str, Any] = {
    "generation_id": ID,
    "status": "processing",
    "generation_type": "video",
    "video_model": "veo3_fast",
    "estimated_time": "45-60 seconds",
    "credits_used": 240,
    "credits_remaining": 260,
    "mode": "text-to-video",
    "message": "Video generation started successfully",
}
CREATE_VIDEO = [
    _taken("From text", {"prompt": "A red fox runs through fresh snow at dawn"}),
    _taken(
        "Premium, portrait",
        {"prompt": "A lighthouse in a storm", "video_model": "veo3", "aspect_ratio": "9:16"},
    ),
    _taken("From an image", {"prompt": "The cat stretches", "source_image_urls": [CAT]}),
    _given("A video from text", {"success": True, "data": _CREATED}, 201),
    _given(
        "A video from an image",
        {
            "success": True,
            "data": _CREATED
            | {
                "mode": "image-to-video",
                "message": "Image-to-video generation started successfully",
                "source_images_count": 1,
            },
        },
        201,
    ),
]
CREATE_IMAGE = [
    _taken("Square", {"prompt": "A bowl of lemons, oil on canvas"}),
    _taken("Landscape", {"prompt": "A valley in the morning", "size": "3:2"}),
    _given(
        "An image",
        {
            "success": True,
            "data": {
                "generation_id": ID,
                "status": "processing",
                "generation_type": "image",
                "size": "1:1",
                "estimated_time": "15-30 seconds",
                "credits_used": 24,
                "credits_remaining": 236,
                "mode": "text-to-image",
                "message": "Image generation started successfully",
            },
        },
        201,
    ),
]

PROCESSING: dict[str, Any] = {
    "success": True,
    "id": ID,
    "generation_id": ID,
    "generation_type": "video",
    "status": "processing",
    "prompt": "A red fox runs through fresh snow at dawn",
    "mode": "text-to-video",
    "video_model": "veo3_fast",
    "aspect_ratio": "16:9",
    "source_images_count": 0,
    "size": None,
    "estimated_time": "45-60 seconds",
    "progress": 0.45,
    "credits_used": 240,
    "credits_refunded": 0,
    "video_url": None,
    "image_url": None,
    "download_url": None,
    "expires_at": None,
    "error": None,
    "cancelable": False,
    "retry_of": None,
    "created_at": "2026-11-22T12:00:00.123456Z",
    "updated_at": "2026-11-22T12:00:27.123456Z",
    "completed_at": None,
    "failed_at": None,
    "canceled_at": None,
    "output_deleted_at": None,
}
COMPLETED = PROCESSING | {
    "status": "completed",
    "progress": 1.0,
    "video_url": f"{HOST}/media/{ID}.mp4?{SIGNED}",
    "download_url": f"{HOST}/api/v1/generate/{ID}/download/",
    "expires_at": "2026-11-22T12:30:00Z",
    "completed_at": "2026-11-22T12:00:55.123456Z",
    "updated_at": "2026-11-22T12:00:55.123456Z",
}
_UNDELIVERED = {"credits_used": 0, "credits_refunded": 240}
FAILED = (
    PROCESSING
    | _UNDELIVERED
    | {
        "status": "failed",
        "error": {
            "code": "content_filtered",
            "message": "The safety filter refused this prompt (violence)",
            "retryable": False,
        },
        "failed_at": "2026-11-22T12:00:31.123456Z",
    }
)
CANCELED = (
    PROCESSING
    | _UNDELIVERED
    | {"status": "canceled", "progress": 0.05, "canceled_at": "2026-11-22T12:00:04.123456Z"}
)
CANCEL = [_given("Canceled", CANCELED)]
STATUS = [
    _given("Processing", PROCESSING),
    _given("Completed", COMPLETED),
    _given("Failed", FAILED),
    *CANCEL,
]
HISTORY = [
    _given(
        "A page",
        {
            "success": True,
            "count": 41,
            "count_is_capped": False,
            "next": f"{HOST}/api/v1/generate/history/?limit=1&cursor=W2ZhbHNlLCIyMDI2",
            "previous": None,
            "results": [COMPLETED],
        },
    )
]
_FAST: dict[str, Any] = {
    "name": "veo3_fast",
    "aliases": [],
    "generation_type": "video",
    "credits": 240,
    "quality": "standard",
    "modes": ["text-to-video", "image-to-video"],
    "aspect_ratios": ["16:9", "9:16"],
    "default": "16:9",
    "estimated_time": {"text-to-video": "45-60 seconds", "image-to-video": "45-60 seconds"},
    "source_images_max": 3,
    "retires_at": None,
}
MODELS = [_given("One of them", {"success": True, "models": [_FAST]})]

_INSUFFICIENT: dict[str, Any] = {"credits_needed": 240, "credits_balance": 100}
POOR_VIDEO = Failure(
    402,
    "insufficient_credits",
    "Insufficient credits. Need 240, have 100",
    "The balance is too low; nothing else happened",
    extra=_INSUFFICIENT | {"video_model": "veo3_fast", "generation_type": "video"},
)
POOR_IMAGE = Failure(
    402,
    "insufficient_credits",
    "Insufficient credits. Need 24, have 10",
    "The balance is too low; nothing else happened",
    extra={"credits_needed": 24, "credits_balance": 10, "generation_type": "image"},
)
BAD_PROMPT = [
    bad_field("prompt", "Prompt is required", "This field is required", "missing"),
    bad_field(
        "prompt",
        "Prompt must be at most 1000 characters",
        "Must be at most 1000 characters",
        "too long",
    ),
]
BAD_VIDEO = [
    bad_field("video_model", "Invalid video_model. Must be one of: veo3_fast, veo3"),
    bad_field("aspect_ratio", "Invalid aspect_ratio. Must be one of: 16:9, 9:16"),
    bad_field("source_image_urls", "source_image_urls[1] must be an http or https URL"),
]
BAD_SIZE = bad_field("size", "Invalid size. Must be one of: 1:1, 3:2, 2:3")
BAD_KEY = bad_field(
    "Idempotency-Key",
    "Idempotency-Key must be 1 to 255 printable ASCII characters",
    "Must be 1 to 255 printable ASCII characters",
)
REFUSED = [
    Failure(
        409,
        "idempotency_key_reused",
        "This Idempotency-Key was already used for a different request",
        "The key belongs to another request",
    ),
    Failure(
        409,
        "idempotency_in_progress",
        "A request with this Idempotency-Key is in progress, try again shortly",
        "The first request with this key is still being worked on",
        headers=("Retry-After",),
    ),
    Failure(
        429,
        "too_many_open_generations",
        "At most 50 generations can be open at once, wait for one to finish",
        "Too many generations are open",
        headers=("Retry-After",),
    ),
    Failure(
        503,
        "provider_busy",
        "The provider is busy at the moment, try again in a few minutes",
        "So much waits that the deadline could not be met; nothing was charged",
        headers=("Retry-After",),
    ),
]
NOT_READY = Failure(409, "not_ready", "The output is not ready yet", "It is not completed (yet)")
EXPIRED = Failure(
    410, "output_expired", "The output has expired and was deleted", "Retention took the file"
)
NO_SUCH_RANGE = Failure(
    416, "range_not_satisfiable", "The file has no such range", "It begins behind the file's end"
)
NOT_CANCELABLE = Failure(
    409,
    "not_cancelable",
    "This generation can no longer be canceled",
    "The provider may have accepted it, or it is over",
)
