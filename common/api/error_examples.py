"""The errors of the contract's section 6 as the OpenAPI document shows them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from rest_framework.exceptions import APIException, NotAcceptable, UnsupportedMediaType

from common.api.shape import CODES
from common.errors import (
    AccountSuspended,
    InvalidCredentials,
    InvalidRequest,
    NotAuthenticated,
    NotFound,
    RateLimited,
    ServiceUnavailable,
)
from common.idempotency import IdempotencyInProgress, IdempotencyKeyReused
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
class ErrorExample:
    """One error as an example. ``summary`` says when it happens."""

    status: int
    code: str
    error: str
    summary: str
    details: dict[str, str] | None = None
    extra: dict[str, Any] = field(default_factory=dict)
    headers: tuple[str, ...] = ()
    called: str = ""  # where a code has several examples

    @classmethod
    def of(
        cls, error: type[APIException], summary: str, sentence: str | None = None, **more: Any
    ) -> ErrorExample:
        """Status and code are the class's, and so is the sentence, unless it depends."""
        code = CODES.get(error, error.default_code)
        return cls(error.status_code, code, sentence or str(error.default_detail), summary, **more)

    @classmethod
    def of_refusal(cls, refusal: refusals.Refusal, summary: str) -> ErrorExample:
        """Of what is answered before Django is asked."""
        return cls(refusal.status, refusal.code, refusal.error, summary)

    @property
    def name(self) -> str:
        return self.called or (self.summary.replace(" ", "_") if self.details else self.code)

    @property
    def body(self) -> dict[str, Any]:
        """The JSON a client gets."""
        content = {"success": False, "error": self.error, "code": self.code, **self.extra}
        if self.details:
            content["details"] = self.details
        return content | {"request_id": REQUEST_ID}


def bad_field(
    name: str, error: str, detail: str | None = None, fault: str = "invalid"
) -> ErrorExample:
    """400 for one field; ``detail`` is what ``details`` says of it, if it is not ``error``."""
    details = {name: detail or error}
    return ErrorExample.of(InvalidRequest, f"{name} {fault}", error, details=details)


BAD_JSON = ErrorExample.of(
    InvalidRequest, "The body is not a JSON object", "The body is not valid JSON"
)
BAD_LIMIT = bad_field(
    "limit", "Limit must be a whole number from 1 to 100", "Must be a whole number from 1 to 100"
)
BAD_KEY = bad_field(
    "Idempotency-Key",
    "Idempotency-Key must be 1 to 255 printable ASCII characters",
    "Must be 1 to 255 printable ASCII characters",
)
KEY_REUSED = ErrorExample.of(IdempotencyKeyReused, "The key belongs to another request")
KEY_IN_PROGRESS = ErrorExample.of(
    IdempotencyInProgress,
    "The first request with this key is still being worked on",
    headers=("Retry-After",),
)
NO_CREDENTIALS = ErrorExample.of(NotAuthenticated, "No credentials", headers=("WWW-Authenticate",))
INVALID_CREDENTIALS = ErrorExample.of(
    InvalidCredentials, "Malformed, unknown, expired or revoked", headers=("WWW-Authenticate",)
)
SUSPENDED = ErrorExample.of(AccountSuspended, "The account is suspended")
NOT_FOUND = ErrorExample.of(NotFound, "Unknown, malformed, or somebody else's: all alike")
NOT_ACCEPTABLE = ErrorExample.of(
    NotAcceptable,
    "The header Accept excludes JSON",
    "Could not satisfy the request Accept header",
)
TOO_LARGE = ErrorExample.of_refusal(refusals.too_large(refusals.MAX_BODY), "The body is over 1 MiB")
WRONG_MEDIA_TYPE = ErrorExample.of(
    UnsupportedMediaType,
    "The body is not application/json",
    'Unsupported media type "text/plain" in request',
)
WRONG_ENCODING = ErrorExample.of_refusal(
    refusals.ENCODED, "The body has a Content-Encoding; none is understood"
)
TIMEOUT = ErrorExample.of_refusal(refusals.TIMEOUT, "The request takes longer than that to arrive")
RATE_LIMITED = ErrorExample.of(
    RateLimited,
    str(RateLimited.default_detail),
    "Too many requests, try again in 12 seconds",
    headers=("Retry-After",),
)
INTERNAL = ErrorExample.of_refusal(refusals.BROKEN, "A fault of ours")
UNAVAILABLE = ErrorExample.of(
    ServiceUnavailable,
    "The database is away, or the service is shutting down",
    headers=("Retry-After",),
)
# What follows from the kind of request, whatever the endpoint.
GENERAL = {
    400: [BAD_JSON],
    401: [NO_CREDENTIALS, INVALID_CREDENTIALS],
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
