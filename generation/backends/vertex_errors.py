"""What an error of the provider means for the generation.

The question behind every line is "may this have been bought?": only what certainly was not may be
asked again.
"""

from __future__ import annotations

import datetime as dt
import email.utils
import re
from collections.abc import Mapping

import httpx
from google.auth.exceptions import GoogleAuthError
from google.genai import errors

from generation.backends.base import BackendError, NotAccepted, Rejected, Unknown
from generation.backends.google_token import TokenUnavailable
from generation.backends.safety import Kind, filtered, reads_like_a_refusal, support_codes

MAX_RETRY_AFTER = 600.0
_DETAIL_LIMIT = 2000

# Raised before a byte of the request was sent.
NOT_SENT = (
    TokenUnavailable,
    GoogleAuthError,
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.ProxyError,
)
# What google-genai raises on a 200 that it cannot read: it trusts the answer's shape. ValueError
# covers JSON, UTF-8, base64 and pydantic.
UNREADABLE = (ValueError, TypeError, AttributeError, LookupError, RecursionError)

# Statuses of the 4xx that leave open whether the work was begun.
_AMBIGUOUS = frozenset({408, 409, 425, 499})
_BAD_REQUEST = frozenset({400, 413, 422})
# google.rpc.Code, as in an operation's error: 3 INVALID_ARGUMENT; DEADLINE_EXCEEDED,
# RESOURCE_EXHAUSTED, ABORTED, INTERNAL, UNAVAILABLE pass; NOT_FOUND, PERMISSION_DENIED,
# FAILED_PRECONDITION, UNAUTHENTICATED are for the operator.
_INVALID_ARGUMENT = 3
_RPC_PASSING = frozenset({4, 8, 10, 13, 14})
_RPC_OPERATOR = frozenset({5, 7, 9, 16})

_NOT_TAKEN = "The provider did not accept this request. Change the prompt or the images."
_BROKEN = "The provider could not make this {kind}. Try again later."
_OUR_FAULT = "This model cannot be used at the moment. We have been told; try again later."


def retry_after(headers: Mapping[str, str]) -> float | None:
    """``Retry-After`` in seconds (RFC 9110, section 10.2.3: seconds or a date), 0 to 600."""
    value = headers.get("retry-after", "").strip()
    if re.fullmatch(r"[0-9]{1,9}", value):
        return min(float(value), MAX_RETRY_AFTER)
    try:
        when = email.utils.parsedate_to_datetime(value)
    except (ValueError, OverflowError):
        return None
    if when.tzinfo is None:
        when = when.replace(tzinfo=dt.UTC)
    wait = (when - dt.datetime.now(dt.UTC)).total_seconds()
    return min(max(wait, 0.0), MAX_RETRY_AFTER)


def submit_error(error: Exception, kind: Kind) -> BackendError:
    """What a failed submit means: NotAccepted, Unknown or Rejected."""
    if isinstance(error, NOT_SENT):
        return NotAccepted(f"not sent: {type(error).__name__}")
    if isinstance(error, errors.APIError):
        return _refused(error, kind)
    return Unknown(f"no readable answer: {type(error).__name__}")


def _refused(error: errors.APIError, kind: Kind) -> BackendError:
    status = error.code
    if status == 429:
        headers = error.response.headers if isinstance(error.response, httpx.Response) else {}
        return NotAccepted("HTTP 429", retry_after(headers), is_quota=True)
    if not 400 <= status < 500 or status in _AMBIGUOUS:
        return Unknown(f"HTTP {status}")
    text = error.message if isinstance(error.message, str) else ""
    # FAILED_PRECONDITION comes as a 400 too, and is about the project (billing, a policy).
    if status not in _BAD_REQUEST or error.status == "FAILED_PRECONDITION":
        return broken(kind, f"HTTP {status}: {text}", operator_fault=True)
    if reads_like_a_refusal(text):
        return filtered(kind, [text])
    return not_taken(f"HTTP {status}: {text}")


def operation_error(error: object) -> Rejected:
    """What the ``error`` of a finished operation means; it may be of any shape."""
    fields = error if isinstance(error, dict) else {}
    code, message = fields.get("code"), fields.get("message")
    text = message if isinstance(message, str) else ""
    if support_codes(text) or (code == _INVALID_ARGUMENT and reads_like_a_refusal(text)):
        return filtered("video", [text])
    detail = f"operation error {code!r}: {text}"
    if code == _INVALID_ARGUMENT:
        return not_taken(detail)
    return broken(
        "video",
        detail,
        retryable=code in _RPC_PASSING,
        operator_fault=code in _RPC_OPERATOR,
    )


def not_taken(detail: str) -> Rejected:
    """The provider found the request itself wrong."""
    return Rejected("provider_rejected", _NOT_TAKEN, detail=detail[:_DETAIL_LIMIT])


def broken(
    kind: Kind, detail: str, *, retryable: bool = False, operator_fault: bool = False
) -> Rejected:
    """The provider failed, or nobody but us can mend it (``operator_fault``)."""
    return Rejected(
        "provider_error",
        _OUR_FAULT if operator_fault else _BROKEN.format(kind=kind),
        detail=detail[:_DETAIL_LIMIT],
        retryable=retryable,
        operator_fault=operator_fault,
    )


def empty(kind: Kind, detail: str) -> Rejected:
    """The provider finished and gave nothing, and no reason."""
    return Rejected(
        "empty_result",
        f"The provider finished without {'a' if kind == 'video' else 'an'} {kind}. Try again.",
        detail=detail[:_DETAIL_LIMIT],
        retryable=True,
    )
