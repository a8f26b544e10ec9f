"""How a time is written: RFC 3339 in UTC, with a Z."""

from __future__ import annotations

from datetime import datetime


def with_z(moment: datetime, timespec: str = "auto") -> str:
    """``moment`` must be in UTC; ``timespec`` is that of ``isoformat``."""
    return moment.isoformat(timespec=timespec).replace("+00:00", "Z")
