"""Examples of what the endpoints about generations refuse, for the OpenAPI document."""

from __future__ import annotations

from typing import Any

from common.api.error_examples import KEY_IN_PROGRESS, KEY_REUSED, ErrorExample, bad_field
from common.api.shape import STATUS_CODES
from common.errors import PreconditionFailed
from generation.api.errors import GenerationCanceled, GenerationFailed, NotReady, OutputExpired
from generation.lifecycle import NotCancelable
from generation.refusals import (
    CAME_TO_NOTHING,
    InsufficientCredits,
    ModelUnavailable,
    PriceAboveMax,
    ProviderBusy,
    TooManyOpenGenerations,
    TooManyUndelivered,
    UnusableUpload,
)

_INSUFFICIENT: dict[str, Any] = {"credits_needed": 240, "credits_balance": 100}
POOR_VIDEO = ErrorExample.of(
    InsufficientCredits,
    "The balance is too low; nothing else happened",
    "Insufficient credits. Need 240, have 100",
    extra=_INSUFFICIENT | {"video_model": "veo3_fast", "generation_type": "video"},
)
POOR_IMAGE = ErrorExample.of(
    InsufficientCredits,
    "The balance is too low; nothing else happened",
    "Insufficient credits. Need 24, have 10",
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
    bad_field(
        "source_image_urls", UnusableUpload(1).details["source_image_urls"], fault="unusable"
    ),
]
BAD_VIDEO += [
    bad_field("duration", "Invalid duration. Must be one of: 4, 6, 8"),
    bad_field("resolution", "Invalid resolution. Must be one of: 720p, 1080p, 4k"),
    bad_field(
        "duration", "Duration must be 8 at 1080p", "Must be 8 at 1080p", "of this resolution"
    ),
    bad_field(
        "seed",
        "Seed must be an integer from 0 to 4294967295",
        "Must be an integer from 0 to 4294967295",
    ),
]
BAD_TYPE = bad_field("type", "Invalid type. Must be one of: video, image")
TOO_DEAR = ErrorExample.of(
    PriceAboveMax,
    "It costs more than `max_credits`; nothing was charged",
    "This costs 288 credits, more than max_credits (240)",
    extra={
        "credits_needed": 288,
        "max_credits": 240,
        "video_model": "veo3_fast",
        "generation_type": "video",
    },
)
BAD_SIZE = bad_field("size", "Invalid size. Must be one of: 1:1, 3:2, 2:3")
REFUSED = [
    KEY_REUSED,
    KEY_IN_PROGRESS,
    ErrorExample.of(
        TooManyOpenGenerations,
        "Too many generations are open",
        "At most 50 generations can be open at once, wait for one to finish",
        headers=("Retry-After",),
    ),
    ErrorExample.of(
        TooManyUndelivered,
        "Too many orders came to nothing",
        f"{CAME_TO_NOTHING}, try again in 43 seconds",
        headers=("Retry-After",),
        called="undelivered",
    ),
    ErrorExample.of(
        ModelUnavailable,
        "The provider does not offer the model at the moment; nothing was charged",
        "veo3_fast is not available at the moment, try another model or try again later",
        headers=("Retry-After",),
    ),
    ErrorExample.of(
        ProviderBusy,
        "So much waits that the deadline could not be met; nothing was charged",
        headers=("Retry-After",),
    ),
]
NO_FILE = [
    ErrorExample.of(NotReady, "It is not completed yet"),
    ErrorExample.of(GenerationFailed, "It failed, and was refunded"),
    ErrorExample.of(GenerationCanceled, "It was canceled, and refunded"),
]
CHANGED = ErrorExample.of(PreconditionFailed, "It is not the one of the header If-Match")
EXPIRED = ErrorExample.of(OutputExpired, "Retention took the file")
NO_SUCH_RANGE = ErrorExample(416, *STATUS_CODES[416], "It begins behind the file's end")
NOT_CANCELABLE = ErrorExample.of(NotCancelable, "The provider may have accepted it, or it is over")
