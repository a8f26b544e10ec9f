"""When a delivery that was not taken is sent again (contract, section 12)."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.conf import settings

from events.models import WebhookEndpoint
from work.waits import jitter

MINUTE, HOUR = 60.0, 3600.0
# Seconds after the first attempt of a round, the second …
PAUSES = (5.0, 5 * MINUTE, 30 * MINUTE, *(hours * HOUR for hours in (2, 5, 10, 14, 20, 24)))
ATTEMPTS = len(PAUSES) + 1  # in a round
SPREAD = 0.1  # of a pause
LONGEST_WISH = HOUR  # of a receiver's Retry-After, which is real time whatever TIME_SCALE is
FAILING_AFTER = timedelta(days=5)
MOST_STRIKES = 5  # claims in a row without a write-back; one more counts as a failed attempt


def next_pause(made: int, wish: float | None) -> float | None:
    """Seconds until the next attempt, after ``made`` attempts of this round; None after the last.

    ``wish`` is the receiver's ``Retry-After``, in seconds.
    """
    if made >= ATTEMPTS:
        return None
    pause = jitter(PAUSES[made - 1], SPREAD) * settings.TIME_SCALE
    return max(pause, min(wish or 0.0, LONGEST_WISH))


def is_failing(endpoint: WebhookEndpoint, now: datetime) -> bool:
    """Whether nothing has succeeded there for days, and it was on for as long."""
    since = max(endpoint.enabled_at, endpoint.last_success_at or endpoint.enabled_at)
    return now - since >= FAILING_AFTER * settings.TIME_SCALE
