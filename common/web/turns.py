"""gunicorn's worker with threads of their own for streamed requests; gunicorn.conf.py names it."""

from __future__ import annotations

import math
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial

from common.web import refusals, streaming
from common.web.alone import alone
from common.web.connection import Connection, State
from common.web.refusals import Refused
from common.web.worker import REFUSED_SECONDS, Worker


class StreamingWorker(Worker):
    """Streamed requests wait for one of few threads, and not for long.

    Each customer has at most one of these threads, so that many requests of one leave the rest to
    others. Only the loop changes ``waiting`` and ``served``.
    """

    def run(self) -> None:
        self.streamers = ThreadPoolExecutor(streaming.AT_ONCE, "streamer")
        self.waiting: dict[Connection, str] = {}  # and whose they are, the first to come first
        self.served: dict[Connection, str] = {}
        super().run()
        self.streamers.shutdown(wait=False)

    def enqueue_req(self, conn: Connection) -> None:
        """Hand a request to a thread; of a streamed request, only the head is there."""
        if conn.stream is None:
            super().enqueue_req(conn)
            return
        conn.linger = REFUSED_SECONDS
        conn.become(State.WORKING, streaming.TURN_SECONDS)
        self.waiting[conn] = streaming.sent_by(conn.request, conn.address)
        self._give_turns()

    def _give_turns(self) -> None:
        while len(self.served) < streaming.AT_ONCE:
            busy = set(self.served.values())
            conn = next((each for each, whose in self.waiting.items() if whose not in busy), None)
            if conn is None:
                return
            self.served[conn] = self.waiting.pop(conn)
            turn = self.streamers.submit(self.handle, conn)
            turn.add_done_callback(partial(self._hand_over, conn))

    def _hand_over(self, connection: Connection, turn: Future[None]) -> None:
        self.method_queue.defer(self.finish_request, connection, turn)

    def handle(self, connection: Connection) -> None:
        """In a thread: the time of its body begins."""
        if connection.stream is not None:
            connection.stream.begin()
        super().handle(connection)

    @alone
    def finish_request(self, connection: Connection, future: Future[None]) -> None:
        """In the loop again: the thread is done with it."""
        if self.served.pop(connection, None) is not None:
            self._give_turns()
        super().finish_request(connection, future)

    def drop(self, connection: Connection) -> None:
        """Close it at once; whoever was to have its turn has the next."""
        self.waiting.pop(connection, None)
        super().drop(connection)

    def lose_patience(self, connection: Connection) -> None:
        """A streamed request that has waited too long for its thread is refused."""
        if self.waiting.pop(connection, None) is not None:
            self.refuse(connection, Refused(refusals.OVERLOADED))
        elif connection in self.served:  # its body and its view have time limits of their own
            connection.deadline = math.inf
        else:
            super().lose_patience(connection)
