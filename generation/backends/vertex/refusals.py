"""What a failed submit means where google-genai sent it, of a video and of an image alike.

``generation/backends/google/refusals.py`` has the table. One line more holds here: 503 in the API's
own words is not accepted.
"""

from __future__ import annotations

import httpx
from google.genai import errors

from generation.backends.base import BackendError, NotAccepted
from generation.backends.google.errors import retry_after
from generation.backends.google.refusals import fault_of, refusal, unanswered
from generation.backends.google.safety import Kind

# What google-genai raises on a 200 that it cannot read: it trusts the answer's shape. ValueError
# covers JSON, UTF-8, base64 and pydantic.
UNREADABLE = (ValueError, TypeError, AttributeError, LookupError, RecursionError)
_RPC_UNAVAILABLE = 14  # google.rpc.Code


def submit_error(error: Exception, kind: Kind) -> BackendError:
    """What a failed submit means: NotAccepted, ModelGone, Unknown or Rejected."""
    if not isinstance(error, errors.APIError):
        return unanswered(error)
    answer = error.response if isinstance(error.response, httpx.Response) else None
    headers = answer.headers if answer is not None else {}
    # The bytes are read, since google-genai puts HTTP's reason where a status is missing.
    content = answer.content if answer is not None else b""
    if error.code == 503 and _says_unavailable(content):
        return NotAccepted("HTTP 503", retry_after(headers))
    return refusal(error.code, headers, content, kind)


def _says_unavailable(content: bytes) -> bool:
    """Whether the API itself turned the request away: it was overloaded, and began nothing.

    A page of a proxy's, an empty answer or another word proves nothing of the kind.
    """
    fault = fault_of(content)
    if (word := fault.get("status")) is not None:
        return bool(word == "UNAVAILABLE")
    code = fault.get("code")
    return type(code) is int and code == _RPC_UNAVAILABLE
