"""The errors of the contract's section 6 as the OpenAPI document shows them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from common.api.shape import STATUS_CODES
from common.errors import NotFound, RateLimited, ServiceUnavailable
from common.web import refusals

REQUEST_ID = "0f8fad5bd9cb469fa16570867728950e"

SCHEMA: dict[str, Any] = {
    "type": "object",
    "description": "Every error has this shape. More fields may come.",
    "required": ["success", "error", "code", "request_id"],
    "properties": {
        "success": {"type": "boolean", "const": False},
        "error": {"type": "string", "description": "One sentence for a person."},
        "code": {"type": "string", "description": "One stable word for a program."},
        "details": {
            "type": "object",
            "additionalProperties": {"type": "string"},
            "description": "One sentence for each field at fault; absent when none is.",
        },
        "request_id": {"type": "string", "description": "Equals the header `X-Request-ID`."},
        "credits_needed": {"type": "integer", "description": "Only with 402."},
        "credits_balance": {"type": "integer", "description": "Only with 402."},
        "video_model": {"type": "string", "description": "Only with 402, for a video."},
        "generation_type": {"type": "string", "description": "Only with 402."},
    },
}


@dataclass(frozen=True)
class Failure:
    """One error as an example. ``summary`` says when it happens."""

    status: int
    code: str
    error: str
    summary: str
    details: dict[str, str] | None = None
    extra: dict[str, Any] = field(default_factory=dict)
    headers: tuple[str, ...] = ()
    called: str = ""  # where a code has several examples

    @property
    def name(self) -> str:
        """Unique within a status."""
        return self.called or (self.summary.replace(" ", "_") if self.details else self.code)

    @property
    def body(self) -> dict[str, Any]:
        """The JSON a client gets."""
        content = {"success": False, "error": self.error, "code": self.code, **self.extra}
        if self.details:
            content["details"] = self.details
        return content | {"request_id": REQUEST_ID}


def bad_field(name: str, error: str, detail: str | None = None, fault: str = "invalid") -> Failure:
    """400 for one field; ``detail`` is what ``details`` says of it, if it is not ``error``."""
    summary = f"{name} {fault}"
    return Failure(400, "invalid_request", error, summary, details={name: detail or error})


BAD_JSON = Failure(
    400, "invalid_request", "The body is not valid JSON", "The body is not a JSON object"
)
BAD_LIMIT = bad_field(
    "limit", "Limit must be a whole number from 1 to 100", "Must be a whole number from 1 to 100"
)
NOT_AUTHENTICATED = Failure(
    401,
    "not_authenticated",
    "Send an API key in the header Authorization: Bearer <key>",
    "No credentials",
    headers=("WWW-Authenticate",),
)
INVALID_CREDENTIALS = Failure(
    401,
    "invalid_credentials",
    "The credentials are invalid",
    "Malformed, unknown, expired or revoked",
    headers=("WWW-Authenticate",),
)
SUSPENDED = Failure(
    403, "account_suspended", "This account is suspended", "The account is suspended"
)
NOT_FOUND = Failure(
    404,
    "not_found",
    str(NotFound.default_detail),
    "Unknown, malformed, or somebody else's: all alike",
)
NOT_ACCEPTABLE = Failure(
    406,
    "not_acceptable",
    "Could not satisfy the request Accept header",
    "The header Accept excludes JSON",
)
TOO_LARGE = Failure(
    413,
    "request_too_large",
    "The request body is larger than 1048576 bytes",
    "The body is over 1 MiB",
)
WRONG_MEDIA_TYPE = Failure(
    415,
    "unsupported_media_type",
    'Unsupported media type "text/plain" in request',
    "The body is not application/json",
)
WRONG_ENCODING = Failure(
    415,
    refusals.ENCODED.code,
    refusals.ENCODED.error,
    "The body has a Content-Encoding; none is understood",
)
TIMEOUT = Failure(
    408,
    refusals.TIMEOUT.code,
    refusals.TIMEOUT.error,
    "The request takes longer than that to arrive",
)
RATE_LIMITED = Failure(
    429,
    "rate_limited",
    "Too many requests, try again in 12 seconds",
    str(RateLimited.default_detail),
    headers=("Retry-After",),
)
INTERNAL = Failure(500, "internal_error", STATUS_CODES[500][1], "A fault of ours")
UNAVAILABLE = Failure(
    503,
    "service_unavailable",
    str(ServiceUnavailable.default_detail),
    "The database is away, or the service is shutting down",
    headers=("Retry-After",),
)
# What follows from the kind of request, whatever the endpoint.
GENERAL = {
    400: [BAD_JSON],
    401: [NOT_AUTHENTICATED, INVALID_CREDENTIALS],
    403: [SUSPENDED],
    404: [NOT_FOUND],
    406: [NOT_ACCEPTABLE],
    408: [TIMEOUT],
    413: [TOO_LARGE],
    415: [WRONG_MEDIA_TYPE, WRONG_ENCODING],
    429: [RATE_LIMITED],
    500: [INTERNAL],
    503: [UNAVAILABLE],
}
# Answers to requests that were counted: credentials and permissions are looked at before.
AFTER_THROTTLING = {400, 402, 404, 409, 410, 412, 415, 429}
