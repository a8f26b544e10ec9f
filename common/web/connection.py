"""One client's connection: what has come of its request, and what is left to send of the answer.

gunicorn's parser and response work on it as on a socket, and never wait: the request is here whole
before they read, and what they write is collected and sent at the client's own pace by others.
"""

from __future__ import annotations

import contextlib
import enum
import ipaddress
import math
import re
import select
import socket
import threading
import time
from typing import IO, Any

from gunicorn.http.errors import LimitRequestHeaders, LimitRequestLine
from gunicorn.http.message import Request
from gunicorn.http.parser import RequestParser

from common.web.chunks import ChunkScanner
from common.web.outbox import Outbox
from common.web.refusals import MAX_BODY, Refused, too_large
from common.web.streaming import BLOCK, CONTINUE, Stream, is_streamed

MAX_HEAD = 64 * 1024  # bytes of request line and headers together
MAX_LINES = 200  # of them; gunicorn keeps 100 headers
# What a view may write ahead of a client that does not keep up. Only what is made while it is sent
# comes here (a staff member's ledger as CSV), or is longer; all else, and files, wait in no thread.
AHEAD = 1024 * 1024
# Threads of a process that may wait so at once; one more client that does not keep up is left.
WAITING = 2

# A client that takes nothing for STALL seconds, or less than PACE bytes a second after the first
# GRACE seconds, is left: it may ask for the rest with Range.
STALL = 30.0
GRACE = 60.0
PACE = 32 * 1024
LINGER = 2.0

# The end of a head, or a line that ends with LF alone: gunicorn refuses that one at once.
_HEAD_ENDS = re.compile(rb"\r\n\r\n|(?<!\r)\n")
_waits = threading.BoundedSemaphore(WAITING)


class State(enum.IntEnum):
    """What a connection waits for; who has to make room goes by this order."""

    CLOSING = 0  # until the client has read the last answer
    IDLE = 1  # between two requests, or before the first
    RECEIVING = 2
    SENDING = 3
    WORKING = 4  # in a thread of the pool


class Connection:
    """Used by one thread at a time: the worker's loop, one of the pool, or the sender."""

    def __init__(self, cfg: Any, accepted: socket.socket, client: Any, server: Any) -> None:
        accepted.setblocking(False)
        self.socket = accepted
        self.client = client
        self.server = server
        self.address: str = client[0] if isinstance(client, tuple) else ""
        self.network = _network(self.address)
        self.state = State.IDLE
        self.since = time.monotonic()  # of the state
        self.deadline = math.inf  # of time.monotonic: when the loop loses patience
        self.is_registered = False  # with the loop's selector
        self.progress_at = self.since  # when it last took something
        self.keep = False  # whether another request may follow
        self.is_broken = False  # nothing can be sent any more
        self.linger = LINGER  # seconds for the client to read the last answer
        self.held = 0  # bytes of the request that is arriving, or is being answered
        self.parser = RequestParser(cfg, self, client)
        self.request: Request | None = None
        self.stream: Stream | None = None  # of a body that its view reads
        self._inbox = bytearray()
        self._news = b""
        self._searched = 0
        self._body_left: int | ChunkScanner = 0
        self.outbox = Outbox()
        self._ahead = 0  # bytes that were written since the client was waited for

    @property
    def sock(self) -> Connection:
        """What gunicorn reads from and writes to."""
        return self

    def become(self, state: State, seconds: float = math.inf) -> None:
        """Enter a state, for so many seconds at most."""
        self.state, self.since = state, time.monotonic()
        self.deadline = self.since + seconds

    # --- the request, in the loop ---

    def expect_request(self) -> int:
        """Begin with the next request; how many bytes of it came along with the last one."""
        self.request = None
        self._inbox[:0] = self.parser.unreader.take_buffered()
        self._searched, self._news, self._ahead = 0, b"", 0
        return len(self._inbox)

    def receive(self) -> int:
        """Take what has come, and say how many bytes; 0 = the client is gone. Raises OSError."""
        self._news = self.socket.recv(BLOCK)
        if self.state is State.CLOSING:
            size, self._news = len(self._news), b""
            return size
        self._inbox += self._news
        return len(self._news)

    def whole_request(self) -> Request | None:
        """The request once it is here whole. Raises gunicorn's ParseException, Refused, OSError."""
        if self.request is None:
            if not self._has_head():
                return None
            self.request = next(self.parser)
            if is_streamed(self.request.method, self.request.path):
                self.stream = Stream(self.socket, self.request)
                return self.request
            self._begin_body(self.request)
        else:
            self._count_body(self._news)
        left = self._body_left
        is_whole = left.ended if isinstance(left, ChunkScanner) else left <= 0
        if self.request._expected_100_continue:
            self.request._expected_100_continue = False  # else gunicorn says it again
            if not is_whole:
                self.socket.send(CONTINUE)
        return self.request if is_whole else None

    def _has_head(self) -> bool:
        found = _HEAD_ENDS.search(self._inbox, self._searched)
        size = len(self._inbox) if found is None else found.end()
        if size > MAX_HEAD:
            if b"\r\n" not in self._inbox[:MAX_HEAD]:
                raise LimitRequestLine(size, MAX_HEAD)
            raise LimitRequestHeaders("max buffer headers")
        # gunicorn counts no header that it drops (X_Y), and takes time by the square of the lines
        if found and self._inbox.count(b"\n", 0, size) > MAX_LINES:
            raise LimitRequestHeaders("limit request headers fields")
        self._searched = max(0, size - 3)
        return found is not None

    def _begin_body(self, request: Request) -> None:
        reader = request.body.reader
        length = getattr(reader, "length", None)
        self._body_left = ChunkScanner() if length is None else length
        if length is not None and length > MAX_BODY:
            raise Refused(too_large(MAX_BODY))
        self._count_body(self.parser.unreader.buf.getvalue())

    def _count_body(self, data: bytes) -> None:
        if isinstance(self._body_left, ChunkScanner):
            self._body_left.feed(data)
            if self._body_left.length > MAX_BODY:
                raise Refused(too_large(MAX_BODY))
        else:
            self._body_left -= len(data)

    def recv(self, size: int) -> bytes:
        """For gunicorn's parser; empty where a socket would wait, unless the body is streamed."""
        if self.stream is not None:
            return self.stream.receive(size)
        data = bytes(self._inbox[:size]) if self.request is not None else bytes(self._inbox)
        del self._inbox[: len(data)]
        return data

    # --- the answer, in a thread of the pool ---

    def sendall(self, data: bytes) -> None:
        """For gunicorn's response. Raises OSError when a client does not follow an endless one."""
        self.outbox.write(data)
        self._ahead += len(data)
        if self._ahead > AHEAD:
            self._wait_for_client()
            self._ahead = 0

    def sendfile(self, file: IO[bytes], offset: int, count: int) -> None:
        """For gunicorn's response; the file is sent after the view has closed it."""
        self.outbox.write_file(file, offset, count)

    def _wait_for_client(self) -> None:
        if not _waits.acquire(blocking=False):
            raise TimeoutError("too many clients are waited for")
        try:
            self._flush_all()
        finally:
            _waits.release()

    def _flush_all(self) -> None:
        ends = time.monotonic() + GRACE
        poll = select.poll()
        poll.register(self.socket, select.POLLOUT)
        while not self.flush():
            if time.monotonic() > ends or not poll.poll(STALL * 1000):
                raise TimeoutError("the client does not read")

    # --- the rest of it, in whichever thread has it ---

    def flush(self) -> bool:
        """Send what the client takes now; whether all is sent. Raises OSError when it is gone."""
        if self.outbox.flush(self.socket):
            self.progress_at = time.monotonic()
        return self.outbox.is_empty

    def flush_quietly(self) -> None:
        """The same, and who is gone is broken."""
        try:
            self.flush()
        except OSError:
            self.is_broken = True

    def half_close(self) -> bool:
        """Say that no answer will follow; False when the client has gone."""
        self._inbox.clear()
        try:
            self.socket.shutdown(socket.SHUT_WR)
        except OSError:
            return False
        return True

    def hang_up(self) -> None:
        """Whoever has it finds the client gone; from any thread."""
        with contextlib.suppress(OSError):
            self.socket.shutdown(socket.SHUT_RDWR)

    def shutdown(self, _: int) -> None:
        """For gunicorn, which ends half an answer so."""
        self.is_broken = True
        raise OSError("the answer is given up")

    def close(self) -> None:
        """Let go of the client and of the files."""
        self.outbox.clear()
        self.socket.close()


def _network(address: str) -> str:
    """What one client has at least: an IPv4 address, or an IPv6 /64 (RFC 6177)."""
    if ":" not in address:
        return address
    parsed = ipaddress.IPv6Address(address.partition("%")[0])
    if parsed.ipv4_mapped is not None:  # a listener at [::] tells IPv4 so
        return str(parsed.ipv4_mapped)
    return str(ipaddress.ip_network((parsed, 64), strict=False))
