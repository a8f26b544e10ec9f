"""What stands for a backend that this build does not have."""

from __future__ import annotations

from pathlib import Path

from generation.backends.base import (
    Accepted,
    Backend,
    Fetched,
    Kind,
    NotAccepted,
    Produced,
    Running,
    SubmitRequest,
    Unavailable,
)
from generation.backends.capabilities import VERTEX


class Unreachable(Backend):
    """Fails each read and buys nothing. Its outputs wait for a build that has the backend."""

    capabilities = VERTEX

    def __init__(self, name: str) -> None:
        self._said = f"this build has no backend {name!r}"

    def place_for(self, generation_id: str, number: int) -> str:
        raise Unavailable(self._said)

    async def submit(self, request: SubmitRequest) -> Accepted | Produced:
        raise NotAccepted(self._said)

    async def poll(self, operation_name: str, place: str) -> Running | Produced:
        raise Unavailable(self._said)

    async def find_output(self, place: str, kind: Kind) -> Produced | None:
        raise Unavailable(self._said)

    async def fetch_output(self, uri: str, destination: Path) -> Fetched:
        raise Unavailable(self._said)

    async def remove_outputs(self, place: str) -> None:
        raise Unavailable(self._said)

    async def forget(self, operation_name: str, place: str) -> None:
        raise Unavailable(self._said)

    async def aclose(self) -> None:
        pass
