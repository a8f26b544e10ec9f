"""gunicorn's worker of threads, without any that waits for a client (decision 65).

The loop reads a request until it is whole, a thread of the pool answers it, and one thread sends
what clients do not take at once (``sender.py``). How gunicorn parses, frames answers, begins and
ends stays as it is. ``turns.py`` completes it.
"""

from __future__ import annotations

import selectors
import socket
import time
from concurrent.futures import Future
from functools import partial
from logging import DEBUG, ERROR
from typing import Any

from gunicorn.http.errors import NoMoreData, ParseException
from gunicorn.workers.gthread import STOP_KEEPALIVE_LINGER, ThreadWorker

from common.web import refusals, room
from common.web.alone import alone
from common.web.connection import Connection, State
from common.web.refusals import REQUEST_SECONDS, Refused
from common.web.sender import Sender

# What a refused client may go on sending: a socket that is closed with unread bytes in it takes the
# answer back.
REFUSED_SECONDS = 10.0
# Bytes of requests that arrive or are being answered; who sent no more than SMALL is never refused.
MEMORY = 32 * 1024 * 1024
SMALL = 64 * 1024
TICK = 0.5  # seconds between two looks at who is late


class Worker(ThreadWorker):  # type: ignore[misc]  # it is not annotated
    """Connections belong to the loop; ``handle`` alone runs in threads of the pool."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.connections: set[Connection] = set()
        self.held = 0  # bytes of requests
        self.next_look = 0.0

    @classmethod
    def check_config(cls, cfg: Any, log: Any) -> None:
        """gunicorn's hook. Raises ValueError for TLS and HTTP/2, which end at a proxy."""
        if cfg.is_ssl or "h2" in cfg.http_protocols:
            raise ValueError("This worker speaks HTTP/1.1 without TLS")

    def run(self) -> None:
        """The base class's loop; it calls accept, murder_pending and murder_keepalived."""
        self.worker_connections = min(self.cfg.worker_connections, room.descriptors() // 2)
        self.sender = Sender(lambda connection: self.method_queue.defer(self.settle, connection))
        self.sender.start()
        super().run()
        self.sender.stop()

    def accept(self, listener: socket.socket) -> None:
        """Take a connection into the loop, and what it may have sent already."""
        try:
            accepted, client = listener.accept()
        except OSError as error:  # another process was faster, or the client has gone
            self.log.debug("Not accepted: %s", error)
            return
        connection = Connection(self.cfg, accepted, client, listener.getsockname())
        connection.become(State.IDLE, self.cfg.keepalive)
        self.nr_conns += 1
        self.connections.add(connection)
        self.on_readable(connection)

    def drop(self, connection: Connection) -> None:
        """Close it at once, if it is not closed yet."""
        if connection not in self.connections:
            return
        self.connections.remove(connection)
        self.nr_conns -= 1
        self.unregister(connection)
        self.count_held(connection, 0)
        connection.close()

    def register(self, connection: Connection) -> None:
        if not connection.is_registered:
            call = partial(self.on_readable, connection)
            self.poller.register(connection.socket, selectors.EVENT_READ, call)
            connection.is_registered = True

    def unregister(self, connection: Connection) -> None:
        if connection.is_registered:
            self.poller.unregister(connection.socket)
            connection.is_registered = False

    def count_held(self, connection: Connection, now: int) -> None:
        """It holds so many bytes of a request now."""
        self.held += now - connection.held
        connection.held = now

    # --- requests ---

    @alone
    def on_readable(self, connection: Connection, _: object = None) -> None:
        """Read what has come, and go on with it."""
        try:
            size = connection.receive()
        except BlockingIOError:
            self.register(connection)
            return
        except OSError:
            size = 0
        if not size:
            self.drop(connection)
        elif connection.state is not State.CLOSING:
            self.count_held(connection, connection.held + size)
            self.advance(connection)

    def advance(self, connection: Connection) -> None:
        """Have the request answered if it is whole, else wait for the rest."""
        try:
            request = connection.whole_request()
            if request is None and self.held > MEMORY and connection.held > SMALL:
                raise Refused(refusals.OVERLOADED)
        except (Refused, ParseException, NoMoreData) as error:
            self.refuse(connection, error)
        except (OSError, StopIteration):
            self.drop(connection)
        else:
            if request is not None:
                self.unregister(connection)
                connection.become(State.WORKING)
                self.enqueue_req(connection)
                return
            if connection.state is State.IDLE:
                connection.become(State.RECEIVING, REQUEST_SECONDS)
            self.register(connection)

    @alone
    def refuse(self, connection: Connection, error: Exception) -> None:
        """Answer in the loop what needs no thread."""
        self.unregister(connection)
        self.handle_error(connection.request, connection, connection.client, error)
        connection.flush_quietly()
        self.finish(connection)

    # --- answers ---

    def handle(self, connection: Connection) -> None:
        """In a thread of the pool: answer a request that is here whole."""
        answered = self.handle_request(connection.request, connection)
        connection.keep = self._keepalive_after(connection, answered)
        connection.flush()

    @alone
    def finish_request(self, connection: Connection, future: Future[None]) -> None:
        """In the loop again: the thread is done with it."""
        error = future.exception()
        if isinstance(error, OSError | StopIteration) and not isinstance(error, NoMoreData):
            # the client has gone, or handle_request has told what broke the answer off
            gone = isinstance(error, ConnectionError | TimeoutError | StopIteration)
            self.log.log(DEBUG if gone else ERROR, "Connection lost: %s", error)
            connection.is_broken = True
        elif error is not None:
            self.handle_error(connection.request, connection, connection.client, error)
            connection.flush_quietly()
        self.finish(connection)

    def handle_error(self, req: Any, client: Connection, addr: Any, exc: BaseException) -> None:
        """gunicorn's hook: answer an error that the application does not answer itself."""
        refusal = refusals.of_exception(exc)
        if refusal is refusals.BROKEN:
            self.log.error("Error handling request", exc_info=exc)
        else:
            self.log.warning("Invalid request from ip=%s: %.300s", client.address or "-", exc)
        client.keep = False
        client.linger = REFUSED_SECONDS
        client.outbox.clear()
        client.sendall(refusals.answer(refusal, req or getattr(exc, "req", None)))

    def finish(self, connection: Connection) -> None:
        """Let the rest of the answer be sent, if there is one."""
        if connection.is_broken or connection.outbox.is_empty:
            self.settle(connection)
        else:
            connection.become(State.SENDING)
            self.sender.send(connection)

    @alone
    def settle(self, connection: Connection) -> None:
        """The answer is out, or will never be."""
        if connection.is_broken:
            self.drop(connection)
            return
        left = connection.expect_request()
        self.count_held(connection, left if connection.keep else 0)
        if connection.keep:
            seconds = self.cfg.keepalive if self.alive else STOP_KEEPALIVE_LINGER
            connection.become(State.IDLE, seconds)
            if left:
                self.advance(connection)
            else:
                self.register(connection)
        elif connection.half_close():
            connection.become(State.CLOSING, connection.linger)
            self.register(connection)
        else:
            self.drop(connection)

    # --- who is late, and who makes room ---

    def murder_pending(self) -> None:
        """The base class's loop calls it at every turn."""
        now = time.monotonic()
        if self.nr_conns > self.worker_connections - room.FREE:
            self.make_room()
        if now < self.next_look:
            return
        self.next_look = now + TICK
        for connection in [each for each in self.connections if each.deadline < now]:
            self.lose_patience(connection)
        if not self.sender.is_alive():
            self.log.error("The sender has died: ending this process")
            self.alive = False

    def lose_patience(self, connection: Connection) -> None:
        if connection.state is State.RECEIVING:
            self.refuse(connection, Refused(refusals.TIMEOUT))
        else:
            self.drop(connection)

    def make_room(self) -> None:
        """New connections are always taken, or who opens a thousand would keep all others out."""
        for connection in room.who_goes(self.connections):
            if connection.state is State.SENDING:
                connection.hang_up()  # the sender finds that out and gives it back
                connection.become(State.WORKING)
            else:
                self.drop(connection)

    def murder_keepalived(self, force: bool = False) -> None:
        """The base class's loop calls it; ``force`` at the very end."""
        if force:
            for connection in list(self.connections):
                if connection.state < State.SENDING:
                    self.drop(connection)

    def _cap_keepalive(self, deadline: float) -> None:
        """The base class calls it when the process is to end."""
        for connection in self.connections:
            if connection.state is State.IDLE:
                connection.deadline = min(connection.deadline, deadline)
