"""How long to wait: never the same for two rows, so that what came due together parts."""

from __future__ import annotations

import secrets

from django.conf import settings

_chance = secrets.SystemRandom()


def jitter(seconds: float, share: float = 0.2) -> float:
    """The same seconds, ±20 % or another share."""
    return seconds * _chance.uniform(1 - share, 1 + share)


def backoff(retries: int, retry_after: float | None = None) -> float:
    """2 s to 60 s, scaled, of which half is chance; a longer wish of the provider's is kept to."""
    ceiling = min(60.0, 2.0 * 2 ** min(retries, 6)) * settings.TIME_SCALE
    return max(_chance.uniform(ceiling / 2, ceiling), retry_after or 0.0)
