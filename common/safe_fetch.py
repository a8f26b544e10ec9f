"""The one way to read a URL that a customer gave us.

Whoever chooses the URL also controls its DNS answers, its redirects and the server behind it, so
nothing that is checked before the connection is made counts for much. What counts is the address
that is handed to ``connect``: aiohttp asks one function for every socket, literal addresses, DNS
answers, redirects and re-bound names alike, and that function is where we refuse. TLS stays
untouched (the certificate is checked against the name), and there is no second look-up to race.
"""

from __future__ import annotations

import asyncio
import ipaddress
import re
import socket
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import aiohttp
from aiohttp.abc import AbstractResolver
from yarl import URL

MAX_URL_LENGTH = 2048  # section 2 of the API contract
_PORTS = frozenset({80, 443})
_REDIRECTS = frozenset({301, 302, 303, 307, 308})  # RFC 9110, section 15.4
_CONNECT_SECONDS = 5.0  # per address; the next one is tried while there is time left
_BLOCK = 64 * 1024
_HOST_NAME = re.compile(r"(?=.{1,254}$)[a-z0-9_-]{1,63}(\.[a-z0-9_-]{1,63})*\.?", re.IGNORECASE)

# The IANA special-purpose registry (RFC 6890 and later), multicast (RFC 5771), the deprecated 6to4
# relays (RFC 7526), and one address that is public on paper: Azure's platform service.
_DENIED_V4 = tuple(
    ipaddress.IPv4Network(network)
    for network in (
        "0.0.0.0/8",
        "10.0.0.0/8",
        "100.64.0.0/10",
        "127.0.0.0/8",
        "169.254.0.0/16",
        "172.16.0.0/12",
        "192.0.0.0/24",
        "192.0.2.0/24",
        "192.31.196.0/24",
        "192.52.193.0/24",
        "192.88.99.0/24",
        "192.168.0.0/16",
        "192.175.48.0/24",
        "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/3",
        "168.63.129.16/32",
    )
)
# RFC 4291, section 2.4: all global unicast that was ever handed out lies in 2000::/3. That leaves
# out ::/96, mapped addresses, NAT64, ULA, link-local, site-local and multicast without naming them.
_GLOBAL_UNICAST_V6 = ipaddress.IPv6Network("2000::/3")
_DENIED_V6 = tuple(
    ipaddress.IPv6Network(network)
    for network in (
        "2001::/23",  # IETF protocol assignments: Teredo, ORCHID, benchmarking
        "2001:db8::/32",
        "2002::/16",  # 6to4 carries an IPv4 address of the sender's choice
        "2620:4f:8000::/48",
        "3fff::/20",
    )
)

AddrInfo = tuple[int | socket.AddressFamily, int | socket.SocketKind, int, str, tuple[Any, ...]]


class FetchError(Exception):
    """The URL was not read.

    ``str(error)`` is one constant sentence, safe to show: it must not tell a customer who is
    scanning our network what was found. ``reason`` is one word for our own log.
    """

    def __init__(self, reason: str) -> None:
        super().__init__("The URL could not be fetched")
        self.reason = reason


class FetchRefused(FetchError):
    """We would not connect: scheme, userinfo, port or address.

    Must not become an OSError: aiohttp takes those as a reason to try the next address.
    """


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


def is_public_address(host: str) -> bool:
    """Whether ``host`` is a literal address of the public internet; no name ever is."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    if isinstance(address, ipaddress.IPv4Address):
        return not any(address in network for network in _DENIED_V4)
    return address in _GLOBAL_UNICAST_V6 and not any(address in net for net in _DENIED_V6)


def check_url(url: str) -> str | None:
    """What is wrong with the text of ``url``, as the end of a sentence ("must …"), or None.

    Syntax only: no DNS, no I/O. Whether the address behind it may be asked is decided at the
    socket, so a literal private address passes here and is refused by :func:`fetch`.
    """
    if len(url) > MAX_URL_LENGTH:
        return f"must be at most {MAX_URL_LENGTH} characters"
    if " " in url or not url.isprintable():
        return "must not contain spaces or control characters"
    try:
        parsed = _parse(url)
        port = parsed.port
    except ValueError:
        return "must be a valid URL"
    if parsed.scheme not in ("http", "https"):
        return "must be an http or https URL"
    if "@" in parsed.raw_authority:
        return "must not contain a user name or password"
    if not _is_host(parsed.raw_host or "") or not port:
        return "must be a valid URL"
    return None


async def fetch(
    url: str,
    *,
    max_bytes: int,
    total_timeout: float,
    allowed_origins: frozenset[str] = frozenset(),
    max_redirects: int = 3,
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
        raise FetchFailed("time") from error
    except (aiohttp.ClientError, OSError, ValueError) as error:
        # ValueError: names that IDNA cannot encode, addresses that aiohttp finds odd
        raise FetchFailed("network") from error


async def _follow(url: str, max_redirects: int, rules: _Rules) -> FetchedBody:
    for _ in range(max_redirects + 1):
        if (fault := check_url(url)) is not None:
            raise FetchRefused(fault)
        answer = await _get_once(_parse(url), rules)
        if isinstance(answer, FetchedBody):
            return answer
        url = answer
    raise FetchFailed("redirects")


async def _get_once(url: URL, rules: _Rules) -> FetchedBody | str:
    """The body, or where the server sends us instead."""
    origin = f"{url.scheme}://{url.host_subcomponent}:{url.port}"
    async with (
        # A connector for each hop: an exemption or an open connection never outlives its origin.
        aiohttp.TCPConnector(
            socket_factory=_guarded_sockets(exempt=origin in rules.allowed_origins),
            resolver=rules.resolver,
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
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=_CONNECT_SECONDS),
            headers={"Accept-Encoding": "identity", "User-Agent": "Reelmint"},
        ) as session,
        session.get(url, allow_redirects=False) as response,
    ):
        if response.status in _REDIRECTS and "Location" in response.headers:
            target = response.headers["Location"]
            return str(url.join(URL(target, encoded=target.isascii())))
        return await _read_body(response, rules.max_bytes)


async def _read_body(response: aiohttp.ClientResponse, max_bytes: int) -> FetchedBody:
    if response.status != 200:
        raise FetchFailed("status")
    if response.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise FetchFailed("encoding")
    if (response.content_length or 0) > max_bytes:
        raise FetchFailed("size")
    body = bytearray()
    async for block in response.content.iter_chunked(_BLOCK):
        body += block
        if len(body) > max_bytes:
            raise FetchFailed("size")
    return FetchedBody(bytes(body), response.headers.get("Content-Type", ""))


def _guarded_sockets(*, exempt: bool) -> Callable[[AddrInfo], socket.socket]:
    def make_socket(info: AddrInfo) -> socket.socket:
        family, kind, protocol, _, address = info
        if not exempt and not (is_public_address(address[0]) and address[1] in _PORTS):
            raise FetchRefused("address")
        return socket.socket(family, kind, protocol)

    return make_socket


def _parse(url: str) -> URL:
    # Re-quoting would break links whose signature covers the exact spelling.
    return URL(url, encoded=url.isascii())


def _is_host(host: str) -> bool:
    try:
        return ipaddress.ip_address(host) is not None
    except ValueError:
        return _HOST_NAME.fullmatch(host) is not None
