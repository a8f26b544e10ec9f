"""Ids as they were made at another time."""

from __future__ import annotations

import uuid
from datetime import timedelta

from django.utils import timezone

from common import ids


def days_ago(days: float, number: int = 1) -> uuid.UUID:
    """What ``common.ids.new()`` made so many days ago; ``number`` tells those of a moment apart."""
    least = ids.least_of(timezone.now() - timedelta(days=days))
    return uuid.UUID(int=least.int | 7 << 76 | 2 << 62 | number)
