"""When a mail that was not taken is tried again."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.conf import settings

from mail.models import Mail

WAITS = (10.0, 60.0, 300.0, 900.0, 3600.0)  # seconds after the first try, the second …
MOST_STRIKES = 5  # claims in a row without a write-back: it may be what kills the workers


def next_try(mail: Mail) -> datetime | None:
    """When to try again after a failure; None after the last, or when it is of no use by then."""
    if mail.tries >= len(WAITS):
        return None
    at = mail.claimed_at + timedelta(seconds=WAITS[mail.tries] * settings.TIME_SCALE)
    return at if at < mail.expires_at else None
