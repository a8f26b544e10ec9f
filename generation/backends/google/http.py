"""The one pooled HTTP client of a backend, with every answer bounded in time and size.

The client is httpx's own, and google-genai is given the same one, so its limits hold there too.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Mapping
from typing import Any

import httpx

from generation.backends.base import Unavailable
from generation.backends.google.errors import retry_after
from generation.backends.google.tokens import GoogleToken, TokenUnavailable

MIB = 1024 * 1024
MAX_ANSWER = 64 * MIB  # an 8-second video given inline is some 30 MiB of base64
MAX_ERROR = 1 * MIB
MAX_ANSWER_KEY = "max_answer"  # request extension: another limit for this request, in bytes
CONNECT_LIMIT = 10.0
# Google closes idle connections after minutes; a request sent into a closing one ends as
# "unknown", so an idle connection is only used again within seconds.
KEEPALIVE = 5.0

# IANA's registry of content codings, without those that are the bytes themselves
COMPRESSING = frozenset(
    [
        "br",
        "compress",
        "dcb",
        "dcz",
        "deflate",
        "exi",
        "gzip",
        "pack200-gzip",
        "x-compress",
        "x-gzip",
        "zstd",
    ]
)

Json = dict[str, object]


class AnswerTooLarge(httpx.TransportError):
    """The provider's answer is larger than anything it should send."""


class Missing(Exception):
    """The provider said, in its own words, that the thing does not exist."""


class _Capped(httpx.AsyncByteStream):
    def __init__(self, stream: httpx.AsyncByteStream, limit: int, *, is_error: bool) -> None:
        self._stream = stream
        self._limit = limit
        self._is_error = is_error

    async def __aiter__(self) -> AsyncIterator[bytes]:
        left = self._limit
        async for chunk in self._stream:
            if len(chunk) > left:
                if self._is_error:  # its status still counts; only the text is cut
                    yield chunk[:left]
                    return
                raise AnswerTooLarge("answer too large")
            left -= len(chunk)
            yield chunk

    async def aclose(self) -> None:
        await self._stream.aclose()


async def _limit_connecting(request: httpx.Request) -> None:
    """Keep connecting shorter than the whole, so that "not connected" is known as such."""
    timeout: dict[str, float | None] = dict(request.extensions.get("timeout", {}))
    for phase in ("connect", "pool"):
        timeout[phase] = min(CONNECT_LIMIT, (timeout.get(phase) or 3 * CONNECT_LIMIT) / 3)
    request.extensions["timeout"] = timeout


def is_compressed(coding: str) -> bool:
    """Whether Content-Encoding really compresses; storages and proxies write anything into it."""
    return not COMPRESSING.isdisjoint(part.strip().lower() for part in coding.split(","))


async def _limit_answer(response: httpx.Response) -> None:
    if is_compressed(response.headers.get("content-encoding", "")):
        raise httpx.DecodingError("a compressed answer that nobody asked for")
    stream = response.stream
    if isinstance(stream, httpx.AsyncByteStream):
        limit = response.request.extensions.get(MAX_ANSWER_KEY, MAX_ANSWER)
        is_error = response.status_code >= 300
        limit = MAX_ERROR if is_error else limit
        response.stream = _Capped(stream, limit, is_error=is_error)


def open_client(max_connections: int) -> httpx.AsyncClient:
    """A pooled client that follows no redirect, repeats nothing and bounds every answer.

    ``identity`` is asked for because the limits count bytes as they arrive: a small compressed
    answer could otherwise unpack into gigabytes.
    """
    return httpx.AsyncClient(
        headers={"Accept-Encoding": "identity", "User-Agent": "reelmint"},
        limits=httpx.Limits(
            max_connections=max_connections,
            max_keepalive_connections=max_connections,
            keepalive_expiry=KEEPALIVE,
        ),
        event_hooks={"request": [_limit_connecting], "response": [_limit_answer]},
    )


class GoogleHttp:
    """Authorised requests that may be repeated. ``timeout`` in seconds."""

    def __init__(self, client: httpx.AsyncClient, token: GoogleToken, timeout: float) -> None:
        self.client = client
        self.token = token
        self.timeout = timeout

    async def call(
        self,
        method: str,
        url: str,
        *,
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        content: bytes | None = None,
        body: Json | None = None,
    ) -> Json:
        """One request (``body`` as JSON) and its JSON object. Raises Unavailable or Missing."""
        response = await self._ask(
            method, url, params=params, headers=headers, content=content, json=body
        )
        return self.judge(response.status_code, response.headers, response.content)

    async def delete(self, url: str) -> None:
        """Delete it; it may be gone already. Raises Unavailable."""
        response = await self._ask("DELETE", url)
        payload = json_object(response.content)
        with contextlib.suppress(Missing):
            self.check(response.status_code, response.headers, payload)

    async def _ask(
        self, method: str, url: str, headers: Mapping[str, str] | None = None, **what: Any
    ) -> httpx.Response:
        try:
            async with asyncio.timeout(self.timeout):
                authorised = {**(headers or {}), **await self.token.headers()}
                return await self.client.request(
                    method, url, headers=authorised, timeout=self.timeout, **what
                )
        except (httpx.HTTPError, TimeoutError, TokenUnavailable) as error:
            raise Unavailable(f"no answer: {type(error).__name__}") from error

    def judge(self, status: int, headers: Mapping[str, str], content: bytes) -> Json:
        """The JSON object of a finished answer. Raises Unavailable or :class:`Missing`."""
        payload = json_object(content)
        if payload is None or not 200 <= status < 300:
            self.check(status, headers, payload)
            raise Unavailable("the answer is not a JSON object")
        return payload

    def check(self, status: int, headers: Mapping[str, str], payload: Json | None = None) -> None:
        """Pass a 2xx. Raises Unavailable, or :class:`Missing` for a 404 in Google's own form.

        A 404 without that form comes from something in between and proves nothing.
        """
        if 200 <= status < 300:
            return
        if status == 401:
            self.token.doubt()
        error = (payload or {}).get("error")
        if status == 404 and isinstance(error, dict) and error.get("code") == 404:
            raise Missing
        raise Unavailable(f"HTTP {status}", retry_after(headers))


def json_object(content: bytes) -> Json | None:
    """``content`` as a JSON object; None for everything else, however odd."""
    try:
        payload = json.loads(content)
    except (ValueError, RecursionError):
        return None
    return payload if isinstance(payload, dict) else None
