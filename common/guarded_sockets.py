"""Connections to what customers named: to the public internet, and nowhere else.

Whoever chooses the URL also controls its DNS answers, its redirects and the server behind it, so
nothing that is checked before the connection is made counts for much. What counts is the address
that is handed to ``connect``: aiohttp asks one function for every socket, literal addresses, DNS
answers, redirects and re-bound names alike, and that function is where we refuse. TLS stays
untouched (the certificate is checked against the name), and there is no second look-up to race.
"""

from __future__ import annotations

import contextlib
import socket
from collections.abc import AsyncIterator, Callable, Collection
from typing import Any

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult

from common.public_address import is_public_address

CONNECT_SECONDS = 5.0  # per address; the next one is tried while there is time left
# Connections that are tried for one request. A name may have thousands of addresses, of which
# aiohttp would try each one again and again.
MAX_TRIES = 16

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
        aiohttp.TCPConnector(
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


class _Few(AbstractResolver):
    """What another one answers, up to a number: nobody uses us to knock at a thousand doors."""

    def __init__(self, inner: AbstractResolver) -> None:
        self._inner = inner

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        return (await self._inner.resolve(host, port, family))[:MAX_TRIES]

    async def close(self) -> None:
        """The other one is not ours."""


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
    """Else a peer that does not end its side of TLS holds our descriptor for half a minute."""
    for each in made:
        with contextlib.suppress(OSError):  # closed already, or never connected
            each.shutdown(socket.SHUT_RDWR)
