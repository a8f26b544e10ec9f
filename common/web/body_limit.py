"""Refuses bodies that are too large, encoded or of no readable type before Django sees them.

Django reads no chunked body, and parses the Content-Type before it handles errors. A server that
answers 413 at once resets the connection, and the client never sees the answer. So this layer
reads chunked bodies itself, and swallows refused ones before it answers.
"""

from __future__ import annotations

import io
import time
from collections.abc import Iterable, Mapping
from typing import IO, TYPE_CHECKING

from django.utils.http import parse_header_parameters

from common.telemetry import access_log, request_id
from common.web import refusals
from common.web.refusals import Refusal
from common.web.streaming import is_streamed

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

LIMIT = refusals.MAX_BODY
# The operators' pages: their longest form has three passwords, each letter of them in six bytes.
FORMS = {"/admin": 128 * 1024}
BLOCK = 64 * 1024
# What a client may go on sending after it is known to be refused: enough for one that sent a
# file by mistake, not enough to keep a thread busy for long.
SWALLOW_BYTES = 64 * 1024 * 1024
SWALLOW_SECONDS = 10.0


class BodyLimit:
    """A WSGI application around another one: 413 above ``limit`` bytes, 415 for a coding.

    Below a path of ``less`` it is that many bytes: what a person types into a form is short. The
    body of a streamed request is left alone: its view reads it, within limits of its own.
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
        coding = environ.get("HTTP_TRANSFER_ENCODING", "")
        length = _content_length(environ)
        if not _is_readable(environ.get("CONTENT_TYPE", "")):
            return self._refuse(refusals.INVALID_CONTENT_TYPE, environ, start_response)
        if coding and not refusals.is_chunked_alone(coding):
            return self._refuse(refusals.TRANSFER_ENCODED, environ, start_response)
        if (coding or length) and not refusals.is_plain(environ.get("HTTP_CONTENT_ENCODING", "")):
            return self._refuse(refusals.ENCODED, environ, start_response)
        if is_streamed(environ.get("REQUEST_METHOD"), environ.get("PATH_INFO")):
            return self.application(environ, start_response)
        if coding:
            body = _read_up_to(stream, limit + 1)
            if len(body) > limit:
                return self._refuse(refusals.too_large(limit), environ, start_response)
            environ["wsgi.input"] = io.BytesIO(body)
            environ["CONTENT_LENGTH"] = str(len(body))
        elif length > limit:
            return self._refuse(refusals.too_large(limit), environ, start_response)
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
        self, refusal: Refusal, environ: WSGIEnvironment, start_response: StartResponse
    ) -> Iterable[bytes]:
        began = time.perf_counter()
        if not is_streamed(environ.get("REQUEST_METHOD"), environ.get("PATH_INFO")):
            _swallow(environ["wsgi.input"])  # of a streamed one our worker does it, in no thread
        identifier = request_id.choose(environ.get("HTTP_X_REQUEST_ID"))
        headers, content = refusal.render(identifier)
        start_response(refusal.status_line, headers)
        method = environ.get("REQUEST_METHOD")
        access_log.write(method, None, refusal.status, began, request_id=identifier)
        return [content]


def _is_readable(media_type: str) -> bool:
    """Whether Django can parse it.

    It fails on parameters in the form of RFC 2231 (``name*=``) alone: in a charset that is unknown,
    or in parts that contradict each other.
    """
    if "*" not in media_type:
        return True
    try:
        parse_header_parameters(media_type)
    except (ValueError, TypeError):
        return False
    return True


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
