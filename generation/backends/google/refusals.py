"""What a failed submit means, whatever was asked for.

The question behind every line is "may this have been bought?": only what certainly was not may be
asked again.

====================================================  =============================================
no token, no connection, no free connection           not accepted
429                                                   not accepted (the quota)
403, 404 in the API's own words                       the model is gone, or not for us
5xx, 408, 409, 425, 499, a redirect                   unknown
no answer, or one that cannot be read                 unknown
400, 413, 422                                         rejected: the request, or a safety filter
every other 4xx, and FAILED_PRECONDITION              rejected: for the operator to mend
====================================================  =============================================
"""

from __future__ import annotations

from collections.abc import Mapping

import httpx
from google.auth.exceptions import GoogleAuthError

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

# Statuses of the 4xx that leave open whether the work was begun.
_AMBIGUOUS = frozenset({408, 409, 425, 499})
_BAD_REQUEST = frozenset({400, 413, 422})


def unanswered(error: Exception) -> BackendError:
    """What it means that no answer came, or none that can be read: NotAccepted or Unknown."""
    if isinstance(error, NOT_SENT):
        return NotAccepted(f"not sent: {type(error).__name__}")
    return Unknown(f"no readable answer: {type(error).__name__}")


def refusal(status: int, headers: Mapping[str, str], content: bytes, kind: Kind) -> BackendError:
    """What an answer that is no 2xx means: NotAccepted, ModelGone, Unknown or Rejected."""
    if status == 429:
        return NotAccepted(f"HTTP {status}", retry_after(headers), is_quota=True)
    if not 400 <= status < 500 or status in _AMBIGUOUS:
        return Unknown(f"HTTP {status}")
    fault = fault_of(content)
    message = fault.get("message")
    text = message if isinstance(message, str) else content[:DETAIL_LIMIT].decode(errors="replace")
    if support_codes(text):
        return filtered(kind, [text])
    # Another one is of something in between. A model can be taken away from a project by a 403, but
    # what a customer wrote must not take it from all others.
    about_the_prompt = status == 403 and reads_like_a_refusal(text)
    if status in (403, 404) and fault.get("code") == status and not about_the_prompt:
        return ModelGone(f"HTTP {status}: {text}"[:DETAIL_LIMIT])
    # FAILED_PRECONDITION comes as a 400 too, and is about the project (billing, a policy).
    if status not in _BAD_REQUEST or fault.get("status") == "FAILED_PRECONDITION":
        return broken(kind, f"HTTP {status}: {text}", operator_fault=True)
    if reads_like_a_refusal(text):
        return filtered(kind, [text])
    return not_taken(f"HTTP {status}: {text}")


def fault_of(content: bytes) -> Json:
    """The ``error`` of an answer in Google's form; nothing for any other answer."""
    fault = (json_object(content) or {}).get("error")
    return fault if isinstance(fault, dict) else {}
