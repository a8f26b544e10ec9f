"""gunicorn's worker with threads of their own for streamed requests; gunicorn.conf.py names it."""

from __future__ import annotations

import math
from concurrent.futures import Future, ThreadPoolExecutor

from common.web import refusals, streaming
from common.web.alone import alone
from common.web.connection import Connection, State
from common.web.refusals import Refused
from common.web.worker import REFUSED_SECONDS, Worker


class StreamingWorker(Worker):
    """Streamed requests wait for one of few threads, and not for long."""

    def run(self) -> None:
        self.streamers = ThreadPoolExecutor(streaming.AT_ONCE, "streamer")
        self.turns: dict[Connection, Future[None]] = {}
        super().run()
        self.streamers.shutdown(wait=False)

    def enqueue_req(self, conn: Connection) -> None:
        """Hand a request to a thread; of a streamed one its head."""
        if conn.stream is None:
            super().enqueue_req(conn)
            return
        conn.linger = REFUSED_SECONDS
        conn.become(State.WORKING, streaming.TURN_SECONDS)
        turn = self.streamers.submit(self.handle, conn)
        self.turns[conn] = turn
        turn.add_done_callback(lambda done: self._hand_over(conn, done))

    def _hand_over(self, connection: Connection, turn: Future[None]) -> None:
        if not turn.cancelled():
            self.method_queue.defer(self.finish_request, connection, turn)

    def handle(self, connection: Connection) -> None:
        """In a thread: the time of its body begins."""
        if connection.stream is not None:
            connection.stream.begin()
        super().handle(connection)

    @alone
    def finish_request(self, connection: Connection, future: Future[None]) -> None:
        """In the loop again: the thread is done with it."""
        self.turns.pop(connection, None)
        super().finish_request(connection, future)

    def lose_patience(self, connection: Connection) -> None:
        """A streamed request that has waited too long for its thread is refused."""
        turn = self.turns.get(connection)
        if turn is None:
            super().lose_patience(connection)
        elif turn.cancel():
            del self.turns[connection]
            self.refuse(connection, Refused(refusals.OVERLOADED))
        else:  # it runs: its body and its view have time limits of their own
            connection.deadline = math.inf
