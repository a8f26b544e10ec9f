"""What an error of the provider means for the generation."""

from __future__ import annotations

import datetime as dt
import email.utils
import re
from collections.abc import Mapping

from generation.backends.base import Rejected
from generation.backends.google.safety import Kind, filtered, reads_like_a_refusal, support_codes

MAX_RETRY_AFTER = 600.0
DETAIL_LIMIT = 2000

# google.rpc.Code, as in an operation's error: 3 INVALID_ARGUMENT; NOT_FOUND, PERMISSION_DENIED,
# FAILED_PRECONDITION, UNAUTHENTICATED are for the operator. All others may pass.
_INVALID_ARGUMENT = 3
_RPC_OPERATOR = frozenset({5, 7, 9, 16})

_NOT_TAKEN = "The provider did not accept this request. Change the prompt or the images."
_BROKEN = "The provider could not make this {kind}."
_OUR_FAULT = "This model cannot be used at the moment. We have been told."


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


def operation_error(error: object) -> Rejected:
    """What the ``error`` of a finished operation means; it may be of any shape."""
    fields = error if isinstance(error, dict) else {}
    code, message = fields.get("code"), fields.get("message")
    text = message if isinstance(message, str) else "" if fields else repr(error)
    if support_codes(text) or (code == _INVALID_ARGUMENT and reads_like_a_refusal(text)):
        return filtered("video", [text])
    detail = f"operation error {code!r}: {text}"
    if code == _INVALID_ARGUMENT:
        return not_taken(detail)
    return broken("video", detail, operator_fault=code in _RPC_OPERATOR)


def not_taken(detail: str) -> Rejected:
    """The provider found the request itself wrong."""
    return Rejected("provider_rejected", _NOT_TAKEN, detail=detail[:DETAIL_LIMIT])


def broken(kind: Kind, detail: str, *, operator_fault: bool = False) -> Rejected:
    """The provider failed, or only we can mend it (``operator_fault``): both may pass."""
    return Rejected(
        "provider_error",
        _OUR_FAULT if operator_fault else _BROKEN.format(kind=kind),
        detail=detail[:DETAIL_LIMIT],
        retryable=True,
        operator_fault=operator_fault,
    )


def empty(kind: Kind, detail: str) -> Rejected:
    """The provider finished and gave nothing, and no reason."""
    return Rejected(
        "empty_result",
        f"The provider finished without {'a' if kind == 'video' else 'an'} {kind}.",
        detail=detail[:DETAIL_LIMIT],
        retryable=True,
    )
