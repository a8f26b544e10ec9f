"""What can go wrong when events are asked for."""

from __future__ import annotations

from common.errors import ApiError, InvalidRequest

AFTER = "Must be the id of an event, or latest"


class EventsExpired(ApiError):
    """410: so far back nothing is kept."""

    status_code = 410
    default_code = "events_expired"
    default_detail = "What came after this event is no longer kept, ask without after"


class NoSuchEvent(InvalidRequest):
    """400: it is no event of the account."""

    def __init__(self) -> None:
        super().__init__(f"After m{AFTER[1:]}", details={"after": AFTER})
