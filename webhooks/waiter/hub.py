"""All requests that this process holds, and one look a second at their generations.

All of it runs on the event loop, so nothing needs a lock. Statements run in one thread, which has
its own connection.
"""

from __future__ import annotations

import asyncio
import logging
import time
import uuid
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Protocol, TypeVar

from django.db import Error, close_old_connections, connections, reset_queries

from accounts import keys
from accounts.models import Account, ApiKey
from common.errors import AccountSuspended, InvalidCredentials
from generation import progress
from generation.api import lookup
from generation.models import Generation
from webhooks.waiter.metrics import CONNECTIONS, LOOK_SECONDS, SEEN_SECONDS, STREAM
from webhooks.waiter.watching import Watched, Watcher

T = TypeVar("T")

LOOK = 1.0  # seconds between two looks
PULSE = 0.2  # seconds between two looks at whether the process is to end
SECRETS = 30.0  # seconds between two looks at the secrets of all held requests
BLIND = 30.0  # seconds without a look that succeeded; then streams end
OF_ACCOUNT = 50
MOST = 5000

logger = logging.getLogger(__name__)


class Worker(Protocol):
    """gunicorn's worker: ``alive`` turns false when the process is to end."""

    alive: bool


class Hub:
    """``most`` is how many requests the process may hold; its descriptors are a limit, too."""

    def __init__(self, most: int = MOST) -> None:
        self.most = most
        self.worker: Worker | None = None
        self._watched: dict[uuid.UUID, Watched] = {}
        self._accounts: dict[uuid.UUID, Account] = {}
        self._held: Counter[uuid.UUID] = Counter()  # requests of each account
        self._thread = ThreadPoolExecutor(1, "look")
        self._tasks: list[asyncio.Task[None]] = []
        self._seen_at = time.monotonic()
        self._clock: tuple[datetime, float] | None = None  # the database's time at one of ours
        self._newest: datetime | None = None
        self._secrets_at = time.monotonic()

    def start(self) -> None:
        """Begin to look. Called on the loop that will serve."""
        SEEN_SECONDS.set_function(lambda: self.blind_for)
        self._tasks = [asyncio.create_task(each()) for each in (self._look, self._pulse)]

    async def stop(self) -> None:
        """End the looks and their thread."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._thread.submit(connections.close_all)
        await asyncio.to_thread(self._thread.shutdown)

    @property
    def is_alive(self) -> bool:
        """Whether it still looks: an error of our own would have ended the task."""
        return not any(task.done() for task in self._tasks)

    @property
    def is_ending(self) -> bool:
        """Whether the process ends: it holds nothing more, and answers what it holds."""
        return self.worker is not None and not self.worker.alive

    @property
    def held(self) -> int:
        """How many requests are held at this moment."""
        return self._held.total()

    @property
    def blind_for(self) -> float:
        """Seconds since the last look that succeeded."""
        return time.monotonic() - self._seen_at

    def now(self, at_least: datetime) -> datetime:
        """The database's time, by the last look and our clock. It never goes back."""
        known = at_least
        if self._clock is not None:
            then, at = self._clock
            known = max(known, then + timedelta(seconds=time.monotonic() - at))
        self._newest = known if self._newest is None else max(known, self._newest)
        return self._newest

    def watch(self, kind: str, generation: Generation, key: ApiKey) -> Watcher | None:
        """Hold one more request, for ``generation`` as it was read; None if there is no room."""
        account = key.account
        full = self.held >= self.most or self._held[account.pk] >= OF_ACCOUNT
        if self.is_ending or full:
            return None
        self._held[account.pk] += 1
        self._accounts[account.pk] = account
        watched = self._watched.setdefault(generation.pk, Watched(generation))
        if watched.row.version < generation.version:
            watched.row = generation
        watched.row.account = account
        watcher = Watcher(kind, watched, key.pk, account.pk)
        watched.watchers.add(watcher)
        CONNECTIONS.labels(kind).inc()
        return watcher

    def leave(self, watcher: Watcher) -> None:
        """Let a request go: it is answered, or its client has gone."""
        CONNECTIONS.labels(watcher.kind).dec()
        watched = watcher.watched
        watched.watchers.discard(watcher)
        if not watched.watchers:
            self._watched.pop(watched.row.pk, None)
        self._held[watcher.account_id] -= 1
        if not self._held[watcher.account_id]:
            del self._held[watcher.account_id], self._accounts[watcher.account_id]

    async def _look(self) -> None:
        while True:
            began = time.monotonic()
            try:
                await self._look_once()
                if began - self._secrets_at >= SECRETS:
                    await self._look_at_secrets()
                    self._secrets_at = began
            except Error as error:  # of the database; requests stay held
                logger.error("a look failed: %s", type(error).__name__)
            await asyncio.sleep(max(0.0, began + LOOK - time.monotonic()))

    async def _look_once(self) -> None:
        began = time.monotonic()
        versions = {pk: watched.row.version for pk, watched in self._watched.items()}
        now, rows = await self._asked(lambda: lookup.changed(versions))
        self._clock, self._seen_at = (now, began), time.monotonic()
        LOOK_SECONDS.observe(self._seen_at - began)
        for row in rows:
            watched = self._watched.get(row.pk)
            if watched is not None and watched.row.version < row.version:
                row.account = watched.row.account
                watched.row = row
                watched.wake()
        for watched in self._watched.values():
            if watched.has_streams:
                step = progress.step(watched.row, self.now(watched.row.now))
                if step != watched.step:
                    watched.step = step
                    watched.wake(STREAM)

    async def _look_at_secrets(self) -> None:
        """Refuse the requests whose key was revoked or whose account is suspended."""
        held = {watcher for each in self._watched.values() for watcher in each.watchers}
        live = await self._asked(lambda: keys.live({watcher.key_id for watcher in held}))
        for key in live.values():
            if key.account_id in self._accounts:
                self._accounts[key.account_id] = key.account
        for watcher in held:
            found = live.get(watcher.key_id)
            if found is None:
                watcher.refuse(InvalidCredentials())
            elif found.account.suspended_at is not None:
                watcher.refuse(AccountSuspended())
            else:
                watcher.watched.row.account = found.account

    async def _pulse(self) -> None:
        """Wake everything when the process is to end, and the streams when no look succeeds."""
        told = False
        while True:
            await asyncio.sleep(PULSE)
            if self.is_ending:
                self._wake()
            is_blind = self.blind_for >= BLIND
            if is_blind and not told:
                self._wake(STREAM)
            told = is_blind

    def _wake(self, kind: str | None = None) -> None:
        for watched in self._watched.values():
            watched.wake(kind)

    async def _asked(self, question: Callable[[], T]) -> T:
        """Ask the database, in the thread that has a connection of its own."""

        def ask() -> T:
            close_old_connections()
            reset_queries()  # kept with DEBUG
            return question()

        return await asyncio.get_running_loop().run_in_executor(self._thread, ask)
