"""Connections to what customers named: to the public internet, and nowhere else.

Their author also controls DNS answers, redirects and servers, so what counts is the address that
is handed to ``connect``. aiohttp asks one function for every socket; there we refuse. TLS stays
untouched, and no second look-up can be raced.
"""

from __future__ import annotations

import contextlib
import functools
import re
import socket
from collections.abc import AsyncIterator, Callable, Collection
from typing import Any

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.client_proto import ResponseHandler

from common.public_address import is_public_address

CONNECT_SECONDS = 5.0  # per address; the next one is tried while there is time left
# Connections that are tried for one request. A name may have thousands of addresses, of which
# aiohttp would try each one again and again.
MAX_TRIES = 16
MAX_HEADS = 16  # that are looked for in what one read brings
_NOT_YET = frozenset({100, *range(102, 200)})  # another head follows
_HEAD_END = re.compile(rb"\A\r?\n|\n\r?\n")  # a read may begin in the midst of it

AddrInfo = tuple[int | socket.AddressFamily, int | socket.SocketKind, int, str, tuple[Any, ...]]


class RefusedAddress(Exception):
    """We would not connect there. Its text names the address, for operators alone.

    Must not become an OSError: aiohttp takes those as a reason to try the next address.
    """


@contextlib.asynccontextmanager
async def guarded_session(
    ports: Collection[int], *, exempt: bool, resolver: AbstractResolver | None
) -> AsyncIterator[aiohttp.ClientSession]:
    """For one request. Its connections may go to any address and port if they are ``exempt``.

    No cookies, no proxy of the environment, no decompression, no connection that is used again. The
    caller limits the time; RefusedAddress comes out of the request.
    """
    made: list[socket.socket] = []
    async with (
        _HeadFirstConnector(
            socket_factory=_sockets(ports, exempt, made),
            resolver=_Few(resolver or aiohttp.ThreadedResolver()),
            use_dns_cache=False,
            force_close=True,
            # Happy eyeballs would swallow a refusal and go on to the next address.
            happy_eyeballs_delay=None,
        ) as connector,
        aiohttp.ClientSession(
            connector=connector,
            cookie_jar=aiohttp.DummyCookieJar(),
            trust_env=False,
            auto_decompress=False,
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_SECONDS),
            headers={"Accept-Encoding": "identity"},
        ) as session,
    ):
        try:
            yield session
        finally:
            _hang_up(made)


class _HeadFirst(ResponseHandler):
    """Reads a head by itself. aiohttp forgets it when what came with it is no body."""

    _has_head = False

    def feed_data(self, data: Any, size: int = 0) -> None:
        self._has_head = self._has_head or data[0].code not in _NOT_YET
        super().feed_data(data, size)

    def data_received(self, data: bytes) -> None:
        for _ in range(MAX_HEADS):
            end = None if self._has_head or self._parser is None else _HEAD_END.search(data)
            if end is None:
                break
            super().data_received(data[: end.end()])
            data = data[end.end() :]
        if data:
            super().data_received(data)


class _HeadFirstConnector(aiohttp.TCPConnector):
    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        handler: Callable[..., ResponseHandler] = _HeadFirst
        self._factory = functools.partial(handler, loop=self._loop)


class _Few(AbstractResolver):
    """Gives at most MAX_TRIES of another resolver's addresses.

    A name with a thousand of them would have us knock at a thousand doors.
    """

    def __init__(self, inner: AbstractResolver) -> None:
        self._inner = inner

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        return (await self._inner.resolve(host, port, family))[:MAX_TRIES]

    async def close(self) -> None:
        """Does nothing: the other resolver is the caller's."""


def _sockets(
    ports: Collection[int], exempt: bool, made: list[socket.socket]
) -> Callable[[AddrInfo], socket.socket]:
    def make_socket(info: AddrInfo) -> socket.socket:
        family, kind, protocol, _, address = info
        if not exempt and not (is_public_address(address[0]) and address[1] in ports):
            raise RefusedAddress(f"{address[0]} port {address[1]}")
        if len(made) >= MAX_TRIES:
            raise OSError("enough addresses were tried")
        made.append(socket.socket(family, kind, protocol))
        return made[-1]

    return make_socket


def _hang_up(made: list[socket.socket]) -> None:
    """End the sockets at once.

    A peer that does not end its side of TLS would hold our descriptor for half a minute.
    """
    for each in made:
        with contextlib.suppress(OSError):  # closed already, or never connected
            each.shutdown(socket.SHUT_RDWR)
