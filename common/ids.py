"""Ids in paths."""

from __future__ import annotations

import uuid

from common.errors import NotFound


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
