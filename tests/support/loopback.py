"""What the fetcher's tests need: raw servers, a DNS of our own, and a record of every connect."""

from __future__ import annotations

import asyncio
import contextlib
import sys
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import Any

from aiohttp.abc import AbstractResolver, ResolveResult

Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]

# Of each thread its own: another test's may still be at work.
_of_thread = threading.local()


def _watch_connects(event: str, arguments: tuple[Any, ...]) -> None:
    if event != "socket.connect":
        return
    connects = getattr(_of_thread, "connects", None)
    address = arguments[1]
    if connects is None or not isinstance(address, tuple):
        return
    connects.append((address[0], address[1]))
    if not address[0].startswith("127."):
        raise ConnectionRefusedError("tests never leave the machine")


sys.addaudithook(_watch_connects)  # cannot be taken back, therefore asleep outside of recording()


@contextlib.contextmanager
def recording() -> Iterator[list[tuple[str, int]]]:
    """Every address that this thread tries to connect to; all but 127/8 are refused.

    The fetcher connects in the thread of the loop it is awaited in.
    """
    connects: list[tuple[str, int]] = []
    _of_thread.connects = connects
    try:
        yield connects
    finally:
        del _of_thread.connects


class Names(AbstractResolver):
    """DNS from a table; a list of lists is answered one after the other, the last one for ever."""

    def __init__(self, table: dict[str, list[list[str]]]) -> None:
        self.table = {name: list(answers) for name, answers in table.items()}
        self.asked: list[str] = []

    async def resolve(self, host: str, port: int = 0, family: int = 0) -> list[ResolveResult]:
        self.asked.append(host)
        if host not in self.table:
            raise OSError("no such name")
        answers = self.table[host]
        addresses = answers.pop(0) if len(answers) > 1 else answers[0]
        return [
            ResolveResult(
                hostname=host,
                host=address,
                port=port,
                family=10 if ":" in address else 2,
                proto=0,
                flags=0,
            )
            for address in addresses
        ]

    async def close(self) -> None:
        pass


@contextlib.asynccontextmanager
async def serving(handler: Handler, **options: Any) -> AsyncIterator[int]:
    """A raw TCP server on 127.0.0.1; yields its port. Handlers and connections end with it."""
    tasks: set[asyncio.Task[None]] = set()
    writers: list[asyncio.StreamWriter] = []

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        writers.append(writer)
        try:
            await handler(reader, writer)
        except (ConnectionError, asyncio.CancelledError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(accept, "127.0.0.1", 0, **options)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        # asyncio leaks a connection whose server is closed between accept and handler
        for listener in server.sockets:
            asyncio.get_running_loop().remove_reader(listener.fileno())
        await _rounds()
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for writer in writers:
            # closed in order it would wait for a client to read; after its end this would raise
            if writer.transport.get_protocol() is not None:
                writer.transport.abort()
        await _rounds()


async def _rounds() -> None:
    """Let the loop do what it was about to do: from accept to handler are three rounds."""
    for _ in range(5):
        await asyncio.sleep(0)


def answering(*parts: bytes) -> Handler:
    """Read the request's head, send ``parts``, close."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        for part in parts:
            writer.write(part)
            await writer.drain()

    return handle


def ok(body: bytes, *headers: str) -> bytes:
    lines = ["HTTP/1.1 200 OK", f"Content-Length: {len(body)}", *headers, "", ""]
    return "\r\n".join(lines).encode() + body


def redirect(target: str, status: int = 302) -> bytes:
    return f"HTTP/1.1 {status} Go\r\nLocation: {target}\r\nContent-Length: 0\r\n\r\n".encode()
