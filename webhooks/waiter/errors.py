"""What the waiter alone refuses."""

from __future__ import annotations

from common.errors import ApiError


class TooManyStreams(ApiError):
    """429: the account holds as many as it may, or the process does."""

    status_code = 429
    default_code = "too_many_streams"
    default_detail = "Too many streams are open, try again shortly"

    def __init__(self) -> None:
        super().__init__(headers={"Retry-After": "5"})
