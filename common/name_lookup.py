"""Looking up names that customers chose, in threads that nobody else needs.

The system's resolver blocks a thread for as long as a name's servers like. In the event loop's own
few threads that would hold up all look-ups, the provider's included. So such names have threads of
their own, and one caller gets a part of them.
"""

from __future__ import annotations

import asyncio
import socket
from collections import Counter
from collections.abc import Callable, Hashable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from aiohttp.abc import AbstractResolver, ResolveResult

THREADS = 64
OF_ONE_CALLER = 8  # two orders of three images, and two names that were given up and go on
SECONDS = 5.0

Found = list[tuple[int, int, int, str, tuple[Any, ...]]]


class Lookups:
    """The threads of one process; ``look_up`` is ``socket.getaddrinfo``."""

    def __init__(
        self, look_up: Callable[..., Any] = socket.getaddrinfo, seconds: float = SECONDS
    ) -> None:
        self._look_up = look_up
        self._seconds = seconds
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="name-lookup")
        self._under_way: Counter[Hashable] = Counter()

    def of(self, caller: Hashable) -> AbstractResolver:
        """A resolver for what ``caller`` asks for, to be used on one event loop."""
        return _Resolver(self, caller)

    async def find(self, caller: Hashable, host: str, port: int, family: int) -> Found:
        """What the system's resolver says. Raises OSError, also when it takes too long.

        Whoever has as many look-ups under way as he may is refused: some of them were given up, and
        still hold a thread.
        """
        if self._under_way[caller] >= OF_ONE_CALLER:
            raise OSError("too many look-ups of this caller are under way")
        loop = asyncio.get_running_loop()
        self._under_way[caller] += 1
        asked = self._threads.submit(
            self._look_up, host, port, family, socket.SOCK_STREAM, 0, socket.AI_ADDRCONFIG
        )
        asked.add_done_callback(lambda _: _on(loop, self._ended, caller))
        try:
            async with asyncio.timeout(self._seconds):
                found: Found = await asyncio.wrap_future(asked)
        except TimeoutError as error:
            detail = f"no answer about the name in {self._seconds:g} s"
            raise socket.gaierror(socket.EAI_AGAIN, detail) from error
        return found

    def _ended(self, caller: Hashable) -> None:
        self._under_way[caller] -= 1
        if not self._under_way[caller]:
            del self._under_way[caller]


class _Resolver(AbstractResolver):
    def __init__(self, lookups: Lookups, caller: Hashable) -> None:
        self._lookups, self._caller = lookups, caller

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        return [
            ResolveResult(
                hostname=host,
                host=address[0],
                port=address[1],
                family=found_family,
                proto=protocol,
                flags=socket.AI_NUMERICHOST | socket.AI_NUMERICSERV,
            )
            for found_family, _, protocol, _, address in await self._lookups.find(
                self._caller, host, port, family
            )
        ]

    async def close(self) -> None:
        """Does nothing: the threads are the process's."""


def _on(loop: asyncio.AbstractEventLoop, call: Callable[..., None], *values: Any) -> None:
    """In the loop's thread; a loop that is closed has nothing to count any more."""
    if not loop.is_closed():
        loop.call_soon_threadsafe(call, *values)
