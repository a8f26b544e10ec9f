"""The waiter's application in this process, asked over ASGI, for what takes too long for real."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from django.core.handlers.wsgi import WSGIHandler

from webhooks.waiter.application import Waiter
from webhooks.waiter.first import FirstAnswers
from webhooks.waiter.hub import Hub


class Worker:
    """gunicorn's, as far as the hub looks at it."""

    alive = True


class Call:
    """One request; ``takes`` turns false when its client reads no more."""

    def __init__(self, application: Waiter, path: str, key: str, **headers: str) -> None:
        path, _, query = path.partition("?")
        sent = {"host": "127.0.0.1", "authorization": f"Bearer {key}", **headers}
        scope = {
            "type": "http",
            "method": "GET",
            "scheme": "http",
            "path": path,
            "query_string": query.encode(),
            "headers": [(name.encode(), value.encode()) for name, value in sent.items()],
            "client": ("127.0.0.1", 1),
            "server": ("127.0.0.1", 80),
        }
        self.takes = asyncio.Event()
        self.takes.set()
        self.left = asyncio.Event()
        self._came = asyncio.Event()
        self.status = 0
        self.headers: dict[str, str] = {}
        self.text = ""
        self.task = asyncio.create_task(application(scope, self._receive, self._send))

    async def _receive(self) -> dict[str, Any]:
        await self.left.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message: dict[str, Any]) -> None:
        await self.takes.wait()
        if message["type"] == "http.response.start":
            pairs = [(name.decode().lower(), value.decode()) for name, value in message["headers"]]
            self.status, self.headers = message["status"], dict(pairs)
        else:
            self.text += message["body"].decode()
            self._came.set()

    async def until(self, words: str) -> None:
        """Wait for a part of the body."""
        async with asyncio.timeout(15):
            while words not in self.text:
                self._came.clear()
                await self._came.wait()

    async def over(self) -> None:
        async with asyncio.timeout(15):
            await self.task


class House:
    """A hub that looks, and whoever asks."""

    def __init__(self, most: int = 1000) -> None:
        self.hub = Hub(most)
        self.worker = Worker()
        self.application = Waiter(self.hub, FirstAnswers(WSGIHandler().get_response, {}))
        self.application.serve_under(self.worker)

    async def holds(self, count: int) -> None:
        """Wait until it does."""
        for _ in range(300):
            if self.hub.held == count:
                return
            await asyncio.sleep(0.05)
        raise TimeoutError

    def call(self, path: str, key: str, **headers: str) -> Call:
        return Call(self.application, path, key, **headers)


def lived(scene: Callable[[House], Awaitable[None]], most: int = 1000) -> None:
    """Let the scene play in a house that is up, and take it down."""

    async def play() -> None:
        house = House(most)
        asked: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        told: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        life = asyncio.create_task(house.application({"type": "lifespan"}, asked.get, told.put))
        await asked.put({"type": "lifespan.startup"})
        assert (await told.get())["type"] == "lifespan.startup.complete"
        try:
            await scene(house)
        finally:
            await asked.put({"type": "lifespan.shutdown"})
            await life

    asyncio.run(play())
