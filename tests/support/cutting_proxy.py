"""A proxy before PostgreSQL that cuts a connection exactly when a transaction is to be committed.

*Before*: the COMMIT never reaches the server, which rolls back. *After*: the server has committed,
but the client is never told. It cuts the transaction in which a statement held a given text, or
that statement when it is its own transaction.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Coroutine
from dataclasses import dataclass
from typing import Any, Literal, Self, TypeVar

T = TypeVar("T")
Moment = Literal["before", "after"]
READY = b"Z"  # the server's "ready for query", with I when no transaction is open


@dataclass(eq=False)
class Connection:
    """One client's, with what has been seen of its transaction."""

    writers: tuple[asyncio.StreamWriter, asyncio.StreamWriter]  # to the client, to the server
    in_transaction: bool = False
    doomed: bool = False  # the statement was seen: the next COMMIT is the one
    silenced: bool = False  # the server's answer is not passed on any more

    def cut(self) -> None:
        for writer in self.writers:
            writer.transport.abort()


class CuttingProxy:
    """Forwards from a port of its own on 127.0.0.1 to a server's unix socket, in plain text."""

    # of its clients; what is prepared would pass by as a name instead of its text
    OPTIONS = {"sslmode": "disable", "gssencmode": "disable", "prepare_threshold": None}

    def __init__(self, socket_path: str) -> None:
        self.socket_path = socket_path
        self.cuts = 0
        self._armed: tuple[Moment, bytes] | None = None
        self._connections: set[Connection] = set()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        self._server = self._do(asyncio.start_server(self._serve, "127.0.0.1", 0))
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._server.close)
        self.cut_all()
        self._do(self._ended())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    @property
    def port(self) -> int:
        return int(self._server.sockets[0].getsockname()[1])

    def arm(self, moment: Moment, text: str) -> None:
        """Cut the next transaction with a statement that holds ``text``, once."""
        self._armed = (moment, text.encode())

    def cut_all(self) -> int:
        """End every connection, as a server does that restarts; how many those were."""
        found = list(self._connections)
        for connection in found:
            self._loop.call_soon_threadsafe(connection.cut)
        return len(found)

    def _do(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(10)

    async def _ended(self) -> None:
        others = asyncio.all_tasks() - {asyncio.current_task()}
        await asyncio.gather(*others, return_exceptions=True)

    async def _serve(self, client: asyncio.StreamReader, back: asyncio.StreamWriter) -> None:
        server, on = await asyncio.open_unix_connection(self.socket_path)
        connection = Connection((back, on))
        self._connections.add(connection)
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            length = await client.readexactly(4)  # the first message has no type
            on.write(length + await client.readexactly(int.from_bytes(length) - 4))
            await asyncio.gather(
                self._to_server(client, connection), self._to_client(server, connection)
            )
        connection.cut()
        self._connections.discard(connection)

    async def _to_server(self, client: asyncio.StreamReader, connection: Connection) -> None:
        while True:
            kind, message = await _message(client)
            if self._is_the_one(kind, message, connection):
                moment, self._armed = (self._armed or ("before", b""))[0], None
                self.cuts += 1
                if moment == "before":
                    connection.cut()
                    return
                connection.silenced = True
            connection.writers[1].write(message)

    def _is_the_one(self, kind: bytes, message: bytes, connection: Connection) -> bool:
        if self._armed is None or kind not in (b"Q", b"P"):
            return False
        if message[5:].startswith(b"COMMIT"):
            return connection.doomed
        if self._armed[1] not in message:
            return False
        connection.doomed = True
        return not connection.in_transaction

    async def _to_client(self, server: asyncio.StreamReader, connection: Connection) -> None:
        while True:
            kind, message = await _message(server)
            if kind == READY:
                connection.in_transaction = message[-1:] != b"I"
                if connection.silenced:
                    connection.cut()
                    return
                connection.doomed = connection.doomed and connection.in_transaction
            if not connection.silenced:
                connection.writers[0].write(message)


async def _message(reader: asyncio.StreamReader) -> tuple[bytes, bytes]:
    """Its type, and all of it."""
    head = await reader.readexactly(5)
    return head[:1], head + await reader.readexactly(int.from_bytes(head[1:]) - 4)
