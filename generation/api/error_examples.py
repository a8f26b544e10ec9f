"""What the endpoints about generations refuse, for the OpenAPI document."""

from __future__ import annotations

from typing import Any

from common.api.error_examples import Failure, bad_field

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
        429,
        "rate_limited",
        "Too many generations were canceled or failed within a day, try again in 43 seconds",
        "Too many orders came to nothing",
        headers=("Retry-After",),
        called="undelivered",
    ),
    Failure(
        503,
        "provider_busy",
        "The provider is busy at the moment, try again in a few minutes",
        "So much waits that the deadline could not be met; nothing was charged",
        headers=("Retry-After",),
    ),
]
NO_FILE = [
    Failure(409, "not_ready", "The output is not ready yet", "It is not completed yet"),
    Failure(
        409,
        "generation_failed",
        "This generation failed, there will be no output",
        "It failed, and was refunded",
    ),
    Failure(
        409,
        "generation_canceled",
        "This generation was canceled, there will be no output",
        "It was canceled, and refunded",
    ),
]
CHANGED = Failure(
    412,
    "precondition_failed",
    "No entity tag of If-Match is the current one",
    "It is not the one of the header If-Match",
)
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
