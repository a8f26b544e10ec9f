"""The most frequent call: how an operation is, some ten times a video.

Through httpx it costs 1.3 ms of CPU, through aiohttp 0.1 ms (dev/benchmarks/in_flight.py); at
10,000 operations in flight that is a whole core or a tenth of one. What an answer means is decided
by ``http.py``, as for every other call.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from functools import lru_cache
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import aiohttp

from generation.backends.base import Unavailable
from generation.backends.google.http import (
    CONNECT_LIMIT,
    KEEPALIVE,
    MAX_ANSWER,
    MAX_ERROR,
    GoogleHttp,
    Json,
    is_compressed,
)
from generation.backends.google.tokens import GoogleToken, TokenUnavailable

CHUNK = 64 * 1024


class PollHttp:
    """Requests that only read, on connections of their own."""

    def __init__(self, http: GoogleHttp, token: GoogleToken, max_connections: int) -> None:
        self._http = http
        self._token = token
        self._max_connections = max_connections
        self._session: aiohttp.ClientSession | None = None

    async def post(self, url: str, body: Json) -> Json:
        """The JSON object of the answer. Raises Unavailable or Missing."""
        return await self._ask("POST", url, MAX_ANSWER, json=body)

    async def get(self, url: str, *, headers: Mapping[str, str], max_answer: int) -> Json:
        """The same; an answer of more than ``max_answer`` bytes is Unavailable."""
        return await self._ask("GET", url, max_answer, headers=headers)

    async def _ask(
        self,
        method: str,
        url: str,
        max_answer: int,
        headers: Mapping[str, str] | None = None,
        json: Json | None = None,
    ) -> Json:
        try:
            async with asyncio.timeout(self._http.timeout):
                authorised = {**(headers or {}), **await self._token.headers()}
                async with self._open().request(
                    method,
                    url,
                    json=json,
                    headers=authorised,
                    proxy=_proxy(url),
                    allow_redirects=False,
                ) as response:
                    content = await _read(response, max_answer)
        except (aiohttp.ClientError, TimeoutError, TokenUnavailable, ValueError) as error:
            raise Unavailable(f"no answer: {type(error).__name__}") from error
        return self._http.judge(response.status, response.headers, content)

    async def aclose(self) -> None:
        if self._session is not None:
            await self._session.close()

    def _open(self) -> aiohttp.ClientSession:
        """Made at the first call: a session belongs to the loop it is made in."""
        if self._session is None:
            connector = aiohttp.TCPConnector(
                limit=self._max_connections, keepalive_timeout=KEEPALIVE
            )
            self._session = aiohttp.ClientSession(
                connector=connector,
                headers={"Accept-Encoding": "identity", "User-Agent": "reelmint"},
                auto_decompress=False,
                cookie_jar=aiohttp.DummyCookieJar(),
                timeout=aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_LIMIT),
            )
        return self._session


async def _read(response: aiohttp.ClientResponse, max_answer: int) -> bytes:
    """The whole answer; of an error no more than tells what it is."""
    if is_compressed(",".join(response.headers.getall("Content-Encoding", []))):
        raise aiohttp.ClientPayloadError("a compressed answer that nobody asked for")
    is_error = response.status >= 300
    left = MAX_ERROR if is_error else max_answer
    chunks: list[bytes] = []
    async for chunk in response.content.iter_chunked(CHUNK):
        chunks.append(chunk[:left])
        if len(chunk) > left:
            if not is_error:
                raise aiohttp.ClientPayloadError("answer too large")
            break
        left -= len(chunk)
    return b"".join(chunks)


@lru_cache(maxsize=64)
def _proxy(url: str) -> str | None:
    """The environment's proxy, as httpx takes it; aiohttp would look it up at every request."""
    parts = urlsplit(url)
    if proxy_bypass(parts.hostname or ""):
        return None
    proxies = getproxies()
    return proxies.get(parts.scheme) or proxies.get("all")
