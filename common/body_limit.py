"""Bounds request bodies before Django sees them, with ``Content-Length`` or chunked.

Django reads no chunked body at all (it trusts ``Content-Length``), and a server that answers 413
while the client is still sending resets the connection, so that the client never sees the answer.
Therefore this layer reads a chunked body itself, and swallows a too large one before it answers.
"""

from __future__ import annotations

import io
import json
import time
from collections.abc import Iterable, Mapping
from typing import IO, TYPE_CHECKING, Any

from common import access_log, caching, request_id

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

LIMIT = 1024 * 1024  # bytes, contract section 6
# The operators' pages: their longest form has three passwords, each letter of them in six bytes.
FORMS = {"/admin": 128 * 1024}
BLOCK = 64 * 1024
# What a client may go on sending after it is known to be refused: enough for one that sent a
# file by mistake, not enough to keep a thread busy for long.
SWALLOW_BYTES = 64 * 1024 * 1024
SWALLOW_SECONDS = 10.0


class BodyLimit:
    """A WSGI application around another one; bodies over ``limit`` bytes are answered 413.

    Below a path of ``less`` it is that many bytes: what a person types into a form is short.
    """

    def __init__(
        self, application: WSGIApplication, limit: int, less: Mapping[str, int] | None = None
    ) -> None:
        self.application = application
        self.limit = limit
        self.less = less or {}

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        stream: IO[bytes] = environ["wsgi.input"]
        limit = self._limit(environ.get("PATH_INFO", ""))
        if "chunked" in environ.get("HTTP_TRANSFER_ENCODING", "").lower():
            body = _read_up_to(stream, limit + 1)
            if len(body) > limit:
                return self._refuse(environ, start_response, stream, limit)
            environ["wsgi.input"] = io.BytesIO(body)
            environ["CONTENT_LENGTH"] = str(len(body))
        elif (length := _content_length(environ)) > limit:
            return self._refuse(environ, start_response, stream, limit)
        elif length > 0:
            # Read whole, also when the answer will be a 401: a server that finds a body unread
            # breaks the connection off, and perhaps before the client has read the answer.
            environ["wsgi.input"] = io.BytesIO(_read_up_to(stream, length))
        return self.application(environ, start_response)

    def _limit(self, path: str) -> int:
        return min(
            (most for start, most in self.less.items() if path.startswith(start)),
            default=self.limit,
        )

    def _refuse(
        self,
        environ: WSGIEnvironment,
        start_response: StartResponse,
        stream: IO[bytes],
        limit: int,
    ) -> Iterable[bytes]:
        began = time.perf_counter()
        _swallow(stream)
        identifier = request_id.choose(environ.get("HTTP_X_REQUEST_ID"))
        body: dict[str, Any] = {
            "success": False,
            "error": f"The request body is larger than {limit} bytes",
            "code": "request_too_large",
            "request_id": identifier,
        }
        content = json.dumps(body).encode()
        headers = [
            ("Content-Type", "application/json"),
            ("Content-Length", str(len(content))),
            ("Cache-Control", caching.NEVER),
            (request_id.HEADER, identifier),
        ]
        start_response("413 Content Too Large", headers)
        method = environ.get("REQUEST_METHOD")
        access_log.write(method, None, 413, began, request_id=identifier)
        return [content]


def _content_length(environ: WSGIEnvironment) -> int:
    try:
        return int(environ.get("CONTENT_LENGTH") or 0)
    except ValueError:
        return 0


def _read_up_to(stream: IO[bytes], count: int) -> bytes:
    parts: list[bytes] = []
    while count > 0:
        part = stream.read(min(BLOCK, count))
        if not part:
            break
        parts.append(part)
        count -= len(part)
    return b"".join(parts)


def _swallow(stream: IO[bytes]) -> None:
    ends = time.monotonic() + SWALLOW_SECONDS
    left = SWALLOW_BYTES
    try:
        while left > 0 and time.monotonic() < ends:
            part = stream.read(min(BLOCK, left))
            if not part:
                return
            left -= len(part)
    except OSError:
        return  # the client went away; nobody waits for the answer
