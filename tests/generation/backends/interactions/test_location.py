"""Omni is in one location alone, whatever the service's own is."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from generation.backends.base import BackendError
from generation.backends.google import polls
from generation.backends.interactions.backend import InteractionsBackend
from tests.generation.backends.interactions.conftest import MODEL, NAME, PLACE, open_omni, order

pytestmark = pytest.mark.anyio
Call = Callable[[InteractionsBackend], Awaitable[object]]


@pytest.fixture
async def hosts(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[list[str]]:
    """The hosts that a proxy is asked to connect to, which it never does."""
    asked: list[str] = []

    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append((await reader.readline()).decode().split()[1])
        writer.write(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(refuse, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{port}")
    polls._proxy.cache_clear()
    yield asked
    polls._proxy.cache_clear()
    server.close()
    await server.wait_closed()


@pytest.mark.parametrize(
    "call",
    [
        lambda omni: omni.submit(order()),
        lambda omni: omni.poll(NAME, PLACE),
        lambda omni: omni.forget(NAME, ""),
        lambda omni: omni.knows(MODEL, ""),
    ],
    ids=["submit", "poll", "forget", "knows"],
)
async def test_every_call_goes_there(hosts: list[str], call: Call) -> None:
    omni = open_omni("")
    with contextlib.suppress(BackendError):
        await call(omni)
    await omni.aclose()
    assert hosts == ["aiplatform.googleapis.com:443"]
