"""The errors of a question for events."""

from __future__ import annotations

from common.errors import ApiError, InvalidRequest

AFTER = "Must be the id of an event, or latest"


class EventsExpired(ApiError):
    """410: the events of so long ago are not kept any more."""

    status_code = 410
    default_code = "events_expired"
    default_detail = "What came after this event is no longer kept, ask without after"


class NoSuchEvent(InvalidRequest):
    """400: the id is of no event of the account."""

    def __init__(self) -> None:
        super().__init__(f"After m{AFTER[1:]}", details={"after": AFTER})
