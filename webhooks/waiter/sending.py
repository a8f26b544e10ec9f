"""Sending answers over ASGI, and cutting off clients that do not read them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.http import HttpResponse

from common.api import shape
from common.errors import ApiError
from common.web.caching import NEVER

SECONDS = 10.0  # that one send may take
Message = dict[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Headers = list[tuple[bytes, bytes]]
# The first answer's headers that are about its own body; lower case.
OF_THE_BODY = {
    *(b"content-type", b"content-length", b"cache-control", b"etag", b"retry-after"),
    b"x-accel-buffering",
}


class SlowReaderError(Exception):
    """The client takes nothing, and was cut off."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole answer, as ASGI wants it."""

    status: int
    headers: Headers
    body: bytes

    @classmethod
    def of(cls, response: HttpResponse) -> Answer:
        """Django's answer. It has no cookies, so none are looked for."""
        pairs = response.items()
        found = [(name.encode("ascii"), value.encode("latin-1")) for name, value in pairs]
        return cls(response.status_code, found, response.content)

    def instead(self, status: int, headers: Mapping[str, str], body: bytes) -> Answer:
        """Another answer to the same request; headers that are not about the body stay."""
        kept = [pair for pair in self.headers if pair[0].lower() not in OF_THE_BODY]
        return Answer(status, kept + encoded(headers), body)

    def refused(self, error: ApiError) -> Answer:
        """The error in the usual shape; the request's id comes from the context."""
        headers = {"Content-Type": "application/json", "Cache-Control": NEVER, **error.headers}
        body = json.dumps(shape.body(str(error.detail), error.default_code)).encode()
        return self.instead(error.status_code, headers, body)


def encoded(headers: Mapping[str, str]) -> Headers:
    return [(name.encode("ascii"), value.encode("latin-1")) for name, value in headers.items()]


class Connection:
    """One request's way back to its client."""

    def __init__(self, receive: Receive, send: Send, *, is_head: bool = False) -> None:
        self._receive = receive
        self._send = send
        self._is_head = is_head

    async def whole(self, answer: Answer) -> None:
        """Raises SlowReaderError when the client does not take it."""
        length = [] if answer.status in (204, 304) else _length(answer)
        await self.start(answer.status, answer.headers + length)
        await self.part(b"" if self._is_head else answer.body, more=False)

    async def start(self, status: int, headers: Iterable[tuple[bytes, bytes]]) -> None:
        if (protocol := self._protocol()) is not None:
            protocol.begun = getattr(protocol, "_current_request", None)  # for refusing.py
        message = {"type": "http.response.start", "status": status, "headers": list(headers)}
        await self._sent(message)

    async def part(self, body: bytes, *, more: bool) -> None:
        """Raises SlowReaderError when the client does not take it."""
        await self._sent({"type": "http.response.body", "body": body, "more_body": more})

    async def left(self) -> None:
        """Return when the client has gone. A body is read and dropped."""
        while (await self._receive())["type"] != "http.disconnect":
            pass

    async def _sent(self, message: Message) -> None:
        try:
            async with asyncio.timeout(SECONDS):
                await self._send(message)
        except TimeoutError as error:
            self._abort()
            raise SlowReaderError from error

    def _abort(self) -> None:
        """Close the connection at once. gunicorn would wait until the client has read all of it,
        even in a worker that is to end.
        """
        transport = getattr(self._protocol(), "transport", None)
        if transport is not None:
            transport.abort()

    def _protocol(self) -> Any:
        """gunicorn's object of the connection, or None under another server.

        ASGI has no word for it, but ``receive`` is a method of the object that has it.
        """
        return getattr(getattr(self._receive, "__self__", None), "protocol", None)


def _length(answer: Answer) -> Headers:
    if any(name.lower() == b"content-length" for name, _ in answer.headers):
        return []
    return [(b"Content-Length", str(len(answer.body)).encode())]
