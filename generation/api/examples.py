"""The examples of the OpenAPI page, in the words of the contract."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from drf_spectacular.utils import OpenApiExample

from generation.public import PublicGeneration

ID = "7d0f6c1e-6a5b-4a55-9f0e-2b8f0f6b1a10"
HOST = "https://api.example.com"
CAT = "https://example.com/cat.jpg"
SIGNED = "expires=1795354200&signature=5f3b"


def taken(name: str, value: Mapping[str, Any]) -> OpenApiExample:
    return OpenApiExample(name, value, request_only=True)


def given(name: str, value: Mapping[str, Any], status: int = 200) -> OpenApiExample:
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
    "duration": 8,
    "resolution": "720p",
    "generate_audio": True,
    "seed": None,
    "negative_prompt": None,
}
CREATE_VIDEO = [
    taken("From text", {"prompt": "A red fox runs through fresh snow at dawn"}),
    taken(
        "Premium, portrait",
        {"prompt": "A lighthouse in a storm", "video_model": "veo3", "aspect_ratio": "9:16"},
    ),
    taken(
        "Four silent seconds",
        {
            "prompt": "Rain on a window",
            "duration": 4,
            "generate_audio": False,
            "seed": 7,
            "negative_prompt": "people",
            "max_credits": 96,
        },
    ),
    taken(
        "With a webhook of its own",
        {"prompt": "A kite over dunes", "webhook_url": "https://example.com/hooks/video?order=17"},
    ),
    taken("From an image", {"prompt": "The cat stretches", "source_image_urls": [CAT]}),
    taken(
        "From an upload and an image",
        {"prompt": "The cat jumps", "source_image_urls": [f"upload:{ID}", CAT]},
    ),
    given("A video from text", {"success": True, "data": _CREATED}, 201),
    given(
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
    taken("Square", {"prompt": "A bowl of lemons, oil on canvas"}),
    taken("Landscape", {"prompt": "A valley in the morning", "size": "3:2"}),
    given(
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
                "duration": None,
                "resolution": None,
                "generate_audio": None,
                "seed": None,
                "negative_prompt": None,
            },
        },
        201,
    ),
]

PROCESSING: PublicGeneration = {
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
    "duration": 8,
    "resolution": "720p",
    "generate_audio": True,
    "seed": None,
    "negative_prompt": None,
    "estimated_time": "45-60 seconds",
    "progress": 0.45,
    "stage": "generating",
    "estimated_completion_at": "2026-11-22T12:01:01.523456Z",
    "deadline_at": "2026-11-22T12:30:00.123456Z",
    "credits_used": 240,
    "credits_refunded": 0,
    "video_url": None,
    "image_url": None,
    "download_url": None,
    "video_codec": None,
    "expires_at": None,
    "error": None,
    "cancelable": False,
    "retry_of": None,
    "created_at": "2026-11-22T12:00:00.123456Z",
    "updated_at": "2026-11-22T12:00:01.523456Z",
    "completed_at": None,
    "failed_at": None,
    "canceled_at": None,
    "output_expires_at": None,
    "output_deleted_at": None,
}
QUEUED: PublicGeneration = {
    **PROCESSING,
    "progress": 0.05,
    "stage": "queued",
    "estimated_completion_at": None,
    "cancelable": True,
    "updated_at": "2026-11-22T12:00:00.123456Z",
}
_OVER: PublicGeneration = {
    **PROCESSING,
    "stage": None,
    "estimated_completion_at": None,
    "deadline_at": None,
}
COMPLETED: PublicGeneration = {
    **_OVER,
    "status": "completed",
    "progress": 1.0,
    "video_url": f"{HOST}/media/{ID}.mp4?{SIGNED}",
    "download_url": f"{HOST}/api/v1/generate/{ID}/download/",
    "video_codec": "avc1",
    "expires_at": "2026-11-22T12:30:00Z",
    "output_expires_at": "2027-02-20T12:00:55.123456Z",
    "completed_at": "2026-11-22T12:00:55.123456Z",
    "updated_at": "2026-11-22T12:00:55.123456Z",
}
EXPIRED: PublicGeneration = {
    **COMPLETED,
    "prompt": "",
    "video_url": None,
    "download_url": None,
    "expires_at": None,
    "output_expires_at": None,
    "updated_at": "2027-02-20T12:01:10.123456Z",
    "output_deleted_at": "2027-02-20T12:01:10.123456Z",
}
_UNDELIVERED: PublicGeneration = {**_OVER, "credits_used": 0, "credits_refunded": 240}
FAILED: PublicGeneration = {
    **_UNDELIVERED,
    "status": "failed",
    "progress": 0.55,
    "error": {
        "code": "content_filtered",
        "message": "The provider's safety filter stopped this video: hate. Change the prompt.",
        "retryable": False,
    },
    "failed_at": "2026-11-22T12:00:31.123456Z",
    "updated_at": "2026-11-22T12:00:31.123456Z",
}
CANCELED: PublicGeneration = {
    **_UNDELIVERED,
    "status": "canceled",
    "progress": 0.0,
    "canceled_at": "2026-11-22T12:00:04.123456Z",
    "updated_at": "2026-11-22T12:00:04.123456Z",
}
CANCEL = [given("Canceled", CANCELED)]
STATUS = [
    given("Processing", PROCESSING),
    given("Waiting for its turn", QUEUED),
    given("Completed", COMPLETED),
    given("Completed, and expired since", EXPIRED),
    given("Failed", FAILED),
    *CANCEL,
]
HISTORY = [
    given(
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
