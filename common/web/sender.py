"""Sends the answers that did not fit into a socket's buffer, all of a process in one thread.

So no client's pace holds a thread that could answer others; and a disk that stalls holds up files
only, not the loop that takes requests.
"""

from __future__ import annotations

import contextlib
import selectors
import socket
import threading
import time
from collections.abc import Callable
from functools import partial

from gunicorn.workers.gthread import PollableMethodQueue

from common.web.connection import GRACE, PACE, STALL, Connection

MEMORY = 32 * 1024 * 1024  # bytes of answers, files aside, that wait for slow clients
# Bytes that the kernel takes beyond what the client's window lets through. Without it megabytes lie
# there for each client, and one that reads 32 kB a second seems to stand still for a minute.
UNSENT = 128 * 1024
TICK = 1.0  # seconds between two looks at who is too slow


class Sender(threading.Thread):
    """``settled(connection)`` is called from this thread when all is sent, or cannot be."""

    def __init__(self, settled: Callable[[Connection], object]) -> None:
        super().__init__(name="sender", daemon=True)
        self._settled = settled
        self._poller = selectors.DefaultSelector()
        self._queue = PollableMethodQueue()
        self._queue.init()
        self._poller.register(self._queue.fileno(), selectors.EVENT_READ, self._queue.run_callbacks)
        self._ends: dict[Connection, float] = {}  # until when each may take, in the order they came
        self._stopping = False

    def send(self, connection: Connection) -> None:
        """Take it over; from any thread."""
        self._queue.defer(self._take, connection)

    def stop(self) -> None:
        """End the thread, whatever is left to send."""
        self._queue.defer(self._end)

    def run(self) -> None:
        next_look = 0.0
        while not self._stopping:
            for key, _ in self._poller.select(TICK):
                key.data(key.fileobj)
            if (now := time.monotonic()) >= next_look:
                next_look = now + TICK
                self._leave_the_slow(now)
        self._poller.close()
        self._queue.close()

    def _end(self) -> None:
        self._stopping = True

    def _take(self, connection: Connection) -> None:
        now = time.monotonic()
        connection.progress_at = now
        self._ends[connection] = now + GRACE + connection.outbox.left / PACE
        if hasattr(socket, "TCP_NOTSENT_LOWAT"):
            with contextlib.suppress(OSError):  # a Unix socket has none
                connection.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, UNSENT)
        self._poller.register(
            connection.socket, selectors.EVENT_WRITE, partial(self._go_on, connection)
        )

    def _go_on(self, connection: Connection, _: object) -> None:
        try:
            is_sent = connection.flush()
        except OSError:
            self._leave(connection)
        else:
            if is_sent:
                self._give_back(connection)

    def _give_back(self, connection: Connection) -> None:
        self._poller.unregister(connection.socket)
        del self._ends[connection]
        self._settled(connection)

    def _leave(self, connection: Connection) -> None:
        connection.is_broken = True
        self._give_back(connection)

    def _leave_the_slow(self, now: float) -> None:
        """Those over their time; and the oldest ones while too much memory waits."""
        waits = 0
        for connection, ends in list(self._ends.items()):
            if now > min(ends, connection.progress_at + STALL):
                self._leave(connection)
        for connection in reversed(list(self._ends)):
            waits += connection.outbox.left_in_memory
            if waits > MEMORY:
                self._leave(connection)
