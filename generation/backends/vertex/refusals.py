"""What a failed submit means, of a video and of an image alike.

The question behind every line is "may this have been bought?": only what certainly was not may be
asked again.

====================================================  =============================================
no token, no connection, no free connection           not accepted
429                                                   not accepted (the quota)
503 in the API's own words (:func:`_says_unavailable`)  not accepted
404 in the API's own words                            the model is gone
any other 5xx, 408, 409, 425, 499, a redirect         unknown
no answer, or one that cannot be read                 unknown
400, 413, 422                                         rejected: the request, or a safety filter
every other 4xx, and FAILED_PRECONDITION              rejected: for the operator to mend
====================================================  =============================================
"""

from __future__ import annotations

import httpx
from google.auth.exceptions import GoogleAuthError
from google.genai import errors

from generation.backends.base import BackendError, ModelGone, NotAccepted, Unknown
from generation.backends.google.errors import DETAIL_LIMIT, broken, not_taken, retry_after
from generation.backends.google.http import Json, json_object
from generation.backends.google.safety import Kind, filtered, reads_like_a_refusal, support_codes
from generation.backends.google.tokens import TokenUnavailable

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
_RPC_UNAVAILABLE = 14  # google.rpc.Code


def submit_error(error: Exception, kind: Kind) -> BackendError:
    """What a failed submit means: NotAccepted, ModelGone, Unknown or Rejected."""
    if isinstance(error, NOT_SENT):
        return NotAccepted(f"not sent: {type(error).__name__}")
    if isinstance(error, errors.APIError):
        return _refused(error, kind)
    return Unknown(f"no readable answer: {type(error).__name__}")


def _refused(error: errors.APIError, kind: Kind) -> BackendError:
    status = error.code
    if status == 429 or (status == 503 and _says_unavailable(error)):
        headers = error.response.headers if isinstance(error.response, httpx.Response) else {}
        return NotAccepted(f"HTTP {status}", retry_after(headers), is_quota=status == 429)
    if not 400 <= status < 500 or status in _AMBIGUOUS:
        return Unknown(f"HTTP {status}")
    text = error.message if isinstance(error.message, str) else ""
    if support_codes(text):
        return filtered(kind, [text])
    if status == 404 and _fault(error).get("code") == 404:  # another 404 is of something in between
        return ModelGone(f"HTTP {status}: {text}"[:DETAIL_LIMIT])
    # FAILED_PRECONDITION comes as a 400 too, and is about the project (billing, a policy).
    if status not in _BAD_REQUEST or error.status == "FAILED_PRECONDITION":
        return broken(kind, f"HTTP {status}: {text}", operator_fault=True)
    if reads_like_a_refusal(text):
        return filtered(kind, [text])
    return not_taken(f"HTTP {status}: {text}")


def _says_unavailable(error: errors.APIError) -> bool:
    """Whether the API itself turned the request away: it was overloaded, and began nothing.

    A page of a proxy's, an empty answer or another word proves nothing of the kind. The bytes are
    read here, since google-genai puts HTTP's reason where a status is missing.
    """
    fault = _fault(error)
    if (word := fault.get("status")) is not None:
        return bool(word == "UNAVAILABLE")
    code = fault.get("code")
    return type(code) is int and code == _RPC_UNAVAILABLE


def _fault(error: errors.APIError) -> Json:
    """The ``error`` of an answer in Google's form; nothing for any other answer."""
    response = error.response
    said = json_object(response.content) if isinstance(response, httpx.Response) else None
    fault = said.get("error") if said is not None else None
    return fault if isinstance(fault, dict) else {}
