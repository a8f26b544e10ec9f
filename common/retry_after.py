"""How long a server asks us to wait."""

from __future__ import annotations

import datetime as dt
import email.utils
import re


def seconds_of(header: str) -> float | None:
    """``Retry-After`` in seconds from now, or None (RFC 9110, 10.2.3: seconds or a date)."""
    value = header.strip()
    if re.fullmatch(r"[0-9]{1,9}", value):
        return float(value)
    try:
        when = email.utils.parsedate_to_datetime(value)
    except (ValueError, OverflowError):
        return None
    if when.tzinfo is None:
        when = when.replace(tzinfo=dt.UTC)
    return max((when - dt.datetime.now(dt.UTC)).total_seconds(), 0.0)
