"""What gunicorn refuses before the waiter sees it, in the shape of every other refusal.

gunicorn's own answers are plain text that quotes what came, without a request's id. Its ASGI worker
has no hook for them, so this takes the place of the method that they all go through.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterable
from typing import Any

from gunicorn.asgi import parser
from gunicorn.asgi.protocol import ASGIProtocol
from gunicorn.http import errors

from common.telemetry import request_id
from common.web import refusals
from common.web.refusals import Refusal

# What a refused client may go on sending: a socket that is closed with unread bytes in it takes the
# answer back.
SWALLOW_SECONDS = 5.0
NO_WEBSOCKET = Refusal(
    403, "permission_denied", "No WebSocket is opened here, ask without the header Upgrade"
)
Headers = Iterable[tuple[bytes, bytes]]


class _Swallows(asyncio.Protocol):
    """Reads and forgets what is still sent; the end is told to gunicorn, which counts it."""

    def __init__(self, before: Any) -> None:
        self._before = before

    def connection_lost(self, exc: Exception | None) -> None:
        """asyncio's hook: gunicorn counts connections by it."""
        self._before.connection_lost(exc)


def install() -> None:
    """Let gunicorn's protocol refuse as we do, in this process and its children."""
    ASGIProtocol._send_error_response = _send_error_response
    ASGIProtocol._handle_websocket = _handle_websocket


def _send_error_response(self: Any, status: int, message: str, *_: Any) -> None:
    """gunicorn calls it where it handles the error, if there is one, and closes then."""
    headers: Headers = getattr(self._callback_parser, "headers", ())
    _answer(self, _refusal(sys.exception(), status, headers), headers)


async def _handle_websocket(self: Any, request: Any, *_: Any) -> None:
    """Instead of gunicorn's, which would tell the application, and answer by itself."""
    _answer(self, NO_WEBSOCKET, request.headers_bytes)


def _refusal(error: BaseException | None, status: int, headers: Headers) -> Refusal:
    """By gunicorn's error, whose classes are named as those of its other workers."""
    if isinstance(error, parser.InvalidHeader):
        sent = [value.decode("latin-1") for name, value in headers if name == b"transfer-encoding"]
        if refusals.names_another_coding(sent):
            return refusals.TRANSFER_ENCODED
    if isinstance(error, parser.ParseError):
        twin = getattr(errors, type(error).__name__, errors.ParseException)
        return refusals.OF_EXCEPTIONS.get(twin, refusals.INVALID)
    if isinstance(error, errors.ParseException):
        return refusals.of_exception(error)
    return refusals.BROKEN if status >= 500 else refusals.INVALID


def _answer(protocol: Any, refusal: Refusal, headers: Headers) -> None:
    """Send it, end our half, and wait for the client's a little."""
    request = protocol._current_request
    if request is not None and getattr(protocol, "begun", None) is request:
        return  # its answer has begun, and this would stand in it; gunicorn closes
    method = getattr(protocol._callback_parser, "method", None)
    offered = dict(headers).get(request_id.HEADER.lower().encode("ascii"))
    response = refusals.told(
        refusal,
        None if method is None else method.decode("latin-1"),
        None if offered is None else offered.decode("latin-1"),
    )
    transport = protocol.transport
    if protocol._closed or transport is None:
        return
    protocol._closed = True  # or gunicorn would close it at once
    transport.set_protocol(_Swallows(protocol))
    transport.write(response)
    transport.write_eof()
    protocol.worker.loop.call_later(SWALLOW_SECONDS, transport.close)
