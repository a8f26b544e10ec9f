"""The error that only the waiter has."""

from __future__ import annotations

from common.errors import ApiError


class TooManyStreams(ApiError):
    """429: the account or the process has as many streams as it may."""

    status_code = 429
    default_code = "too_many_streams"
    default_detail = "Too many streams are open, try again shortly"

    def __init__(self) -> None:
        super().__init__(headers={"Retry-After": "5"})
