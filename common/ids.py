"""Ids: new ones, and those in paths."""

from __future__ import annotations

import secrets
import time
import uuid
from datetime import UTC, datetime, timedelta

from common.errors import NotFound

VERSION = 7
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
LAST = 253_402_300_799_999  # milliseconds, at the end of Python's years; an id has room for more


def new() -> uuid.UUID:
    """A UUID of version 7 (RFC 9562, section 5.7): what is made later is greater.

    So new rows lie at the end of a key's index, on a page that is in memory; a random key of a
    large table reads and writes a page of its own for each row. 48 bits are milliseconds, the next
    12 a fraction of one (section 6.2, method 3), 62 are random, as nobody may guess an id.
    """
    milliseconds, rest = divmod(time.time_ns(), 1_000_000)
    when = milliseconds << 16 | 7 << 12 | (rest << 12) // 1_000_000
    return uuid.UUID(int=when << 64 | 2 << 62 | secrets.randbits(62))


def made_at(value: uuid.UUID) -> datetime | None:
    """When an id of ``new()`` was made, to the millisecond; None for one of another kind."""
    milliseconds = value.int >> 80
    if value.version != VERSION or milliseconds > LAST:
        return None
    return EPOCH + timedelta(milliseconds=milliseconds)


def least_of(moment: datetime) -> uuid.UUID:
    """Ids that are made from then on are greater, those that were made before are less."""
    return uuid.UUID(int=max(0, (moment - EPOCH) // timedelta(milliseconds=1)) << 80)


def short(value: uuid.UUID) -> str:
    """Its last eight digits, for lists and titles; the first are alike for a minute."""
    return str(value)[-8:]


def parse(text: str) -> uuid.UUID:
    """The UUID in its one canonical spelling, in either case.

    Raises NotFound for anything else, also for what Python would take (``urn:uuid:{…}``): a
    malformed id is answered like an unknown one (contract, section 4).
    """
    try:
        value = uuid.UUID(text)
    except ValueError as error:
        raise NotFound from error
    if str(value) != text.lower():
        raise NotFound
    return value
