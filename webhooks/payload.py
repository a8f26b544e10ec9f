"""The one form of an event, the same in every way that a customer learns of it."""

from __future__ import annotations

import re
import uuid
from datetime import datetime
from typing import Literal, TypedDict

from common.times import with_z
from events.models import Event
from generation import public
from generation.models import Generation
from generation.public import PublicGeneration

PREFIX = "evt_"
SHOWN = re.compile(rf"{PREFIX}([0-9a-f]{{32}})")


class Envelope(TypedDict):
    """What of an event never changes."""

    id: str
    object: Literal["event"]
    type: str
    timestamp: str
    created_at: int


class PublicEvent(Envelope):
    """What of a generation's end every way tells alike."""

    data: PublicGeneration


def shown_id(event_id: uuid.UUID) -> str:
    return PREFIX + event_id.hex


def parse_id(text: str) -> uuid.UUID | None:
    """The id of which ``shown_id`` made this text; None for any other text."""
    found = SHOWN.fullmatch(text)
    return None if found is None else uuid.UUID(found[1])


def to_dict(event: Event, generation: Generation, now: datetime, base_url: str) -> PublicEvent:
    """The event's form. ``generation`` comes with its account; ``now`` is the database's time."""
    return {**envelope(event), "data": public.to_dict(generation, now, base_url)}


def envelope(event: Event) -> Envelope:
    """The event without its ``data``."""
    moment = event.created_at.replace(microsecond=0)
    return {
        "id": shown_id(event.pk),
        "object": "event",
        "type": event.type,
        "timestamp": with_z(moment),
        "created_at": int(moment.timestamp()),
    }
