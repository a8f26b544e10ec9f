"""Signed links to outputs: they play in a browser without a header, and expire.

A link is the same string within a period of 15 minutes, so that players and caches keep working
with it, and stays valid for 15 minutes after it (contract, section 4).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any
from urllib.parse import urlencode

from django.core import signing
from django.core.files.storage import default_storage
from django.utils.crypto import constant_time_compare

PERIOD = 900  # seconds


@cache
def _signer() -> signing.Signer:
    """The signer, made when first needed: workers and migrations have no SECRET_KEY."""
    return signing.Signer(salt="generation.links")


@dataclass(frozen=True, slots=True)
class LinkPeriod:
    """The 15 minutes that ``now`` lies in; links made in it end at ``expires_at``."""

    number: int

    @classmethod
    def of(cls, now: datetime) -> LinkPeriod:
        """The period of a moment."""
        return cls(int(now.timestamp()) // PERIOD)

    @property
    def expires_at(self) -> datetime:
        """Between 15 and 30 minutes from any moment in the period."""
        return datetime.fromtimestamp((self.number + 2) * PERIOD, UTC)


def path(key: str, period: LinkPeriod) -> str:
    """The link's path and query for the file stored under ``key``."""
    expires = int(period.expires_at.timestamp())
    query = urlencode({"expires": expires, "signature": _signature(key, expires)})
    return f"/media/{key}?{query}"


def is_valid(key: str, expires: str, signature: str, now: datetime) -> bool:
    """Whether we signed exactly this with a key that still holds, and it has not expired."""
    if not expires.isascii() or not expires.isdigit() or len(expires) > 12:
        return False
    text = _text(key, int(expires))
    # what SECRET_KEY_FALLBACKS holds signs nothing new, and its links go on to their end
    signer = _signer()
    known = [signer.signature(text, each) for each in (signer.key, *signer.fallback_keys)]
    if not any(constant_time_compare(signature, each) for each in known):
        return False
    return now.timestamp() < int(expires)


def seconds_left(expires: str, now: datetime) -> int:
    """Whole seconds, rounded down, until a valid link expires."""
    return math.floor(int(expires) - now.timestamp())


def of_bucket(key: str, seconds: int) -> str:
    """The bucket's own link to the file, signed for so long; it leads there without asking us.

    By itself django-storages signs for a day. A second is the least that Google takes; it counts
    from the whole second that has begun, so ours does not end before it.
    """
    bucket: Any = default_storage
    lifetime = timedelta(seconds=max(1, seconds))
    return str(bucket.url(key, parameters={"expiration": lifetime}))


def _signature(key: str, expires: int) -> str:
    return _signer().signature(_text(key, expires))


def _text(key: str, expires: int) -> str:
    return f"{key}:{expires}"
