"""The one way to read a URL that a customer gave us; ``guarded_sockets.py`` says what holds."""

from __future__ import annotations

import asyncio
import socket
from dataclasses import dataclass

import aiohttp
from aiohttp.abc import AbstractResolver
from yarl import URL

from common.api.content_coding import is_compressed
from common.browser_url import browser_url
from common.fetchable import PORTS, check_url, fault_of, origin_of
from common.guarded_sockets import RefusedAddress, guarded_session
from common.retry_after import seconds_of
from common.telemetry.redaction import redact

MAX_REDIRECTS = 3
_REDIRECTS = frozenset({301, 302, 303, 307, 308})  # RFC 9110, section 15.4
_BLOCK = 64 * 1024
# Statuses after which the same may be there a minute later (RFC 9110, section 15; 425: RFC 8470).
# 202 is "not made yet"; of the 5xx these two are about the request, which will be the same.
_LATER = frozenset({202, 408, 425, 429, *range(500, 600)}) - {501, 505}
_NO_SUCH_NAME = frozenset({socket.EAI_NONAME, socket.EAI_NODATA, socket.EAI_FAMILY})


class FetchError(Exception):
    """The URL was not read.

    ``str(error)`` is one constant sentence, safe to show: it must not tell a customer who is
    scanning our network what was found. For operators are ``reason``, one word, and ``detail``.
    ``is_passing``: a minute later it may be well, after ``retry_after`` seconds if the host said.
    """

    def __init__(
        self,
        reason: str,
        detail: str = "",
        *,
        is_passing: bool = False,
        retry_after: float | None = None,
    ) -> None:
        super().__init__("The URL could not be fetched")
        self.reason = reason
        self.detail = f"{reason}: {detail}" if detail else reason
        self.is_passing = is_passing
        self.retry_after = retry_after


class FetchRefused(FetchError):
    """We would not connect: scheme, userinfo, port or address."""


class FetchFailed(FetchError):
    """We tried: status, size, time, redirects, encoding or the network."""


@dataclass(frozen=True, slots=True)
class FetchedBody:
    """A whole answer with status 200; ``content_type`` is what the server claims, or empty."""

    data: bytes
    content_type: str


@dataclass(frozen=True, slots=True)
class _Rules:
    max_bytes: int
    allowed_origins: frozenset[str]
    resolver: AbstractResolver | None


async def fetch(
    url: str,
    *,
    max_bytes: int,
    total_timeout: float,
    allowed_origins: frozenset[str] = frozenset(),
    max_redirects: int = MAX_REDIRECTS,
    resolver: AbstractResolver | None = None,
) -> FetchedBody:
    """GET ``url`` and return its body of at most ``max_bytes``, within ``total_timeout`` seconds.

    The time covers everything: DNS, TLS, redirects, dripping headers, endless bodies.
    ``allowed_origins`` are exact ``scheme://host:port`` strings, the port always written out; a
    connection made for one of them, and no other, may go to any address and port. ``resolver``
    answers DNS instead of the system's.

    Raises :class:`FetchRefused` or :class:`FetchFailed`, nothing else.
    """
    rules = _Rules(max_bytes, allowed_origins, resolver)
    try:
        async with asyncio.timeout(total_timeout):
            return await _follow(url, max_redirects, rules)
    except TimeoutError as error:
        detail = f"no whole answer in {total_timeout:g} s"
        raise FetchFailed("time", detail, is_passing=True) from error
    except RefusedAddress as error:
        raise FetchRefused("address", str(error)) from error
    except (aiohttp.ClientError, OSError, ValueError) as error:
        # ValueError: names that IDNA cannot encode, addresses that aiohttp finds odd
        detail = redact(f"{type(error).__name__}: {error}")[:200]
        raise FetchFailed("network", detail, is_passing=_is_passing(error)) from error


def _is_passing(error: Exception) -> bool:
    """Whether a connection broke or was not made; not if there is no such name, trust or HTTP."""
    if isinstance(error, aiohttp.ClientConnectorDNSError):
        return error.os_error.errno not in _NO_SUCH_NAME
    hopeless = (aiohttp.ClientConnectorCertificateError, aiohttp.ClientResponseError, ValueError)
    return not isinstance(error, hopeless)


async def _follow(url: str, max_redirects: int, rules: _Rules) -> FetchedBody:
    if (fault := check_url(url, rules.allowed_origins)) is not None:
        raise FetchRefused(fault)
    asked = browser_url(url)
    for _ in range(max_redirects + 1):
        answer = await _get_once(asked, rules)
        if isinstance(answer, FetchedBody):
            return answer
        if (fault := fault_of(answer, rules.allowed_origins)) is not None:
            raise FetchRefused(fault)
        asked = answer
    raise FetchFailed("redirects", f"more than {max_redirects}")


async def _get_once(url: URL, rules: _Rules) -> FetchedBody | URL:
    """The body, or where the server sends us instead."""
    async with (
        # A session for each hop: an exemption or an open connection never outlives its origin.
        guarded_session(
            PORTS, exempt=origin_of(url) in rules.allowed_origins, resolver=rules.resolver
        ) as session,
        session.get(url, headers={"User-Agent": "Reelmint"}, allow_redirects=False) as response,
    ):
        if response.status in _REDIRECTS and "Location" in response.headers:
            return browser_url(response.headers["Location"], url)
        return await _read_body(response, rules.max_bytes)


async def _read_body(response: aiohttp.ClientResponse, max_bytes: int) -> FetchedBody:
    if response.status != 200:
        later = response.status in _LATER
        wish = seconds_of(response.headers.get("Retry-After", "")) if later else None
        raise FetchFailed("status", str(response.status), is_passing=later, retry_after=wish)
    codings = response.headers.getall("Content-Encoding", [])
    if is_compressed(codings):  # nobody asked for that; of everything else the decoder judges
        raise FetchFailed("encoding", ", ".join(codings)[:40])
    if (response.content_length or 0) > max_bytes:
        raise FetchFailed("size", f"{response.content_length} bytes")
    body = bytearray()
    async for block in response.content.iter_chunked(_BLOCK):
        body += block
        if len(body) > max_bytes:
            raise FetchFailed("size", f"more than {max_bytes} bytes")
    return FetchedBody(bytes(body), response.headers.get("Content-Type", ""))
