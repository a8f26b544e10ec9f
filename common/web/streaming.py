"""Requests that are answered while their body arrives: uploads, which are too large to be held.

Every other request is read whole before a thread sees it. Of these a thread gets the head alone,
so a missing key is answered before the body is read. The loop reads and forgets what is left.
"""

from __future__ import annotations

import math
import re
import select
import socket
import time

from gunicorn.http.message import Request

from common.web.chunks import ChunkScanner

# the API's, and the form of an account's page that has a file in it
PATHS = re.compile(r"/(api/v1/uploads|c/[0-9A-Fa-f-]{36}/create/upload)/?", re.ASCII)
# Of a process, in threads of their own, each for another customer: whoever sends slowly, or many at
# once, holds up nobody else.
AT_ONCE = 2
BODY_SECONDS = 30.0  # from the thread's turn to the body's last byte
TURN_SECONDS = 10.0  # of waiting for a thread
BLOCK = 64 * 1024
# Clients send chunks of 8 KiB and more; with 1 KiB each, 20 MB have 140 KB of framing.
FRAMING = 512 * 1024
SECRETS = ("AUTHORIZATION", "X-API-KEY", "COOKIE")
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


def is_streamed(method: str | None, path: str | None) -> bool:
    """Whether the body of such a request is left to the view."""
    return method == "POST" and path is not None and PATHS.fullmatch(path) is not None


def sent_by(request: Request | None, address: str) -> str:
    """Whose a request is, as far as its head can say before anybody reads its secret in a database.

    Who has several secrets is found out by the view.
    """
    headers = dict(request.headers) if request is not None else {}
    for name in SECRETS:
        if words := headers.get(name, "").split():
            return str(words[-1])
    return address


class Stream:
    """The rest of a body, as gunicorn's reader asks for it. Used by one thread."""

    def __init__(self, source: socket.socket, request: Request) -> None:
        """Raises gunicorn's ParseException for what came along with the head."""
        self._socket = source
        self._ends = math.inf
        self._is_continue_due = bool(request._expected_100_continue)
        request._expected_100_continue = False  # else gunicorn says it before the body is wanted
        request.must_close = True  # nobody knows where a next request would begin
        self._scanner: ChunkScanner | None = None
        if getattr(request.body.reader, "length", None) is None:
            self._scanner = ChunkScanner(FRAMING)
            self._scanner.feed(request.unreader.buf.getvalue())

    def begin(self) -> None:
        """Its thread has come: from now on the body has so many seconds."""
        self._ends = time.monotonic() + BODY_SECONDS

    def receive(self, size: int) -> bytes:
        """Wait for more of it. Raises TimeoutError when its time is over, and other OSErrors."""
        if self._is_continue_due:
            self._is_continue_due = False
            self._socket.send(CONTINUE)
        poll = select.poll()
        poll.register(self._socket, select.POLLIN)
        left = self._ends - time.monotonic()
        if left <= 0 or not poll.poll(left * 1000):
            raise TimeoutError("the body did not arrive in time")
        data = self._socket.recv(min(size, BLOCK))
        if self._scanner is not None:
            self._scanner.feed(data)
        return data
