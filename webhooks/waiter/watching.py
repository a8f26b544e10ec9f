"""A generation that is watched, and a request that watches it."""

from __future__ import annotations

import asyncio
import uuid

from common.errors import ApiError
from generation.models import Generation
from webhooks.waiter.metrics import STREAM


class Watched:
    """A generation as it was last read, with its account."""

    __slots__ = ("row", "step", "watchers")

    def __init__(self, row: Generation) -> None:
        self.row = row
        self.step = -1  # of the progress that streams were last told
        self.watchers: set[Watcher] = set()

    @property
    def has_streams(self) -> bool:
        return any(watcher.kind == STREAM for watcher in self.watchers)

    def wake(self, kind: str | None = None) -> None:
        """Wake its watchers, all or those of one ``kind``."""
        for watcher in self.watchers:
            if kind in (None, watcher.kind):
                watcher.wake.set()


class Watcher:
    """One request that is held."""

    __slots__ = ("account_id", "has_left", "key_id", "kind", "refusal", "wake", "watched")

    def __init__(
        self, kind: str, watched: Watched, key_id: uuid.UUID, account_id: uuid.UUID
    ) -> None:
        self.kind = kind
        self.watched = watched
        self.key_id = key_id
        self.account_id = account_id
        self.wake = asyncio.Event()
        self.has_left = False
        self.refusal: ApiError | None = None

    def leave(self) -> None:
        """The client has gone; nothing is answered."""
        self.has_left = True
        self.wake.set()

    def refuse(self, error: ApiError) -> None:
        """Its secret does not hold any more; ``error`` says why."""
        self.refusal = error
        self.wake.set()

    async def woken(self, seconds: float) -> bool:
        """Wait for news; False if there was none within so many seconds."""
        try:
            async with asyncio.timeout(max(seconds, 0.0)):
                await self.wake.wait()
        except TimeoutError:
            return False
        self.wake.clear()
        return True
