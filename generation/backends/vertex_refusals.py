"""What a failed submit means.

The question behind every line is "may this have been bought?": only what certainly was not may be
asked again.
"""

from __future__ import annotations

import httpx
from google.auth.exceptions import GoogleAuthError
from google.genai import errors

from generation.backends.base import BackendError, NotAccepted, Unknown
from generation.backends.google_token import TokenUnavailable
from generation.backends.safety import Kind, filtered, reads_like_a_refusal
from generation.backends.vertex_errors import broken, not_taken, retry_after

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
