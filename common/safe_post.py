"""The one way to send something to a URL that a customer gave us: ``safe_fetch.py``'s twin.

Nothing of an answer comes back but its status and how long it asks us to wait, nothing of a failure
but one word that tells nothing of our network.
"""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

import aiohttp
from aiohttp.abc import AbstractResolver
from aiohttp.http import HttpProcessingError

from common.browser_url import browser_url
from common.fetchable import Taken, check_url, origin_of
from common.guarded_sockets import RefusedAddress, guarded_session

MAX_READ = 64 * 1024  # bytes of an answer's body, so that a receiver that writes one sees no reset
READ_SECONDS = 2.0  # likewise; the status is what counts, and has arrived
_BLOCK = 16 * 1024
# The last one is no ClientError, and comes out of a body in chunks that are none.
_BROKEN = (aiohttp.ClientError, OSError, ValueError, HttpProcessingError)


class Kind(StrEnum):
    """Why no status came. What we refuse is told as what cannot be reached."""

    TIMEOUT = "timeout"
    CONNECTION = "connection"
    TLS = "tls"


class NotAnswered(Exception):
    """No status came. Nobody is told more than the kind, not even the log."""

    def __init__(self, kind: Kind) -> None:
        super().__init__(f"no status: {kind}")
        self.kind = kind


@dataclass(frozen=True, slots=True)
class Answered:
    """The status, its Retry-After as it was written or empty, and seconds from the look-up on."""

    status: int
    retry_after: str
    seconds: float


async def post(
    url: str,
    body: bytes,
    headers: Mapping[str, str],
    *,
    taken: Taken,
    seconds: float,
    allowed_origins: frozenset[str] = frozenset(),
    resolver: AbstractResolver | None = None,
) -> Answered:
    """POST once, follow nothing. Raises NotAnswered, nothing else.

    ``seconds`` cover everything up to the status: DNS, TLS, dripping headers. ``allowed_origins``
    and ``resolver`` are :func:`common.safe_fetch.fetch`'s.
    """
    started = time.monotonic()
    if check_url(url, allowed_origins, taken) is not None:
        raise NotAnswered(Kind.CONNECTION)
    asked = browser_url(url)
    exempt = origin_of(asked) in allowed_origins
    ports = taken.ports.get(asked.scheme, frozenset())
    async with guarded_session(ports, exempt=exempt, resolver=resolver) as session:
        try:
            async with asyncio.timeout(seconds):
                response = await session.post(
                    asked, data=body, headers=headers, allow_redirects=False
                )
        except TimeoutError as error:
            raise NotAnswered(Kind.TIMEOUT) from error
        except ssl.SSLError as error:  # those of aiohttp, too; before OSError, which it is
            raise NotAnswered(Kind.TLS) from error
        except (RefusedAddress, *_BROKEN) as error:
            raise NotAnswered(Kind.CONNECTION) from error
        took = time.monotonic() - started
        await _throw_away(response, min(READ_SECONDS, max(seconds - took, 0.0)))
    return Answered(response.status, response.headers.get("Retry-After", ""), took)


async def _throw_away(response: aiohttp.ClientResponse, seconds: float) -> None:
    """Read some of the body; the status is known, whatever comes of it."""
    left = MAX_READ
    try:
        async with asyncio.timeout(seconds):
            while left > 0 and (block := await response.content.read(min(left, _BLOCK))):
                left -= len(block)
    except _BROKEN:
        pass
    finally:
        response.close()
