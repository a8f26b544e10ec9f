"""The waiter: raw ASGI, two paths of the API, the probes and the metrics."""

from __future__ import annotations

import contextlib
import logging
import re
import time

from common.telemetry import request_id
from webhooks.waiter import holding, metrics, plain
from webhooks.waiter.errors import TooManyStreams
from webhooks.waiter.first import First, FirstAnswers, Holdable, Scope
from webhooks.waiter.hub import Hub, Worker
from webhooks.waiter.metrics import STREAM, WAIT
from webhooks.waiter.sending import Connection, Receive, Send, SlowReaderError

access = logging.getLogger("access")

# The view judges the id. The pattern only has to match no other path of the API.
HELD = re.compile(r"/api/v1/generate/[0-9A-Fa-f-]{1,64}(/events)?/?", re.ASCII)
LIVE, READY, COUNTS = "/livez", "/readyz", "/metrics"


class Waiter:
    """The application. Before the first request gunicorn calls ``serve_under`` with its worker."""

    def __init__(self, hub: Hub, firsts: FirstAnswers) -> None:
        self._hub = hub
        self._firsts = firsts

    def serve_under(self, worker: Worker) -> None:
        """Let the hub see by itself that the worker ends: gunicorn says so after all requests."""
        self._hub.worker = worker

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._live(receive, send)
        elif scope["type"] == "http":
            to = Connection(receive, send, is_head=scope["method"] == "HEAD")
            await self._answer(scope, to)
        else:  # a WebSocket
            await receive()
            await send({"type": "websocket.close"})

    async def _live(self, receive: Receive, send: Send) -> None:
        await receive()
        self._hub.start()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await self._hub.stop()
        self._firsts.stop()
        await send({"type": "lifespan.shutdown.complete"})

    async def _answer(self, scope: Scope, to: Connection) -> None:
        began = time.perf_counter()
        path = scope["path"].rstrip("/")
        with contextlib.suppress(SlowReaderError):
            if path in (LIVE, READY) and not self._hub.is_alive:
                await to.whole(plain.answer(scope, 503, began))
            elif path == LIVE:
                await to.whole(plain.answer(scope, 200, began, LIVE.strip("/")))
            elif path in (READY, COUNTS) or HELD.fullmatch(scope["path"]):
                await self._first(await self._firsts.of(scope), to, began)
            else:
                await to.whole(plain.answer(scope, 404, began))

    async def _first(self, first: First, to: Connection, began: float) -> None:
        request_id.current.set(first.request_id)
        held = first.holdable
        watcher = None
        if held is not None:
            watcher = self._hub.watch(held.kind, held.generation, held.key)
        if held is None or watcher is None:
            if first.is_wait:
                metrics.WAITS.labels(metrics.AT_ONCE).inc()
            is_refused = held is not None and held.kind == STREAM and not self._hub.is_ending
            await to.whole(first.answer.refused(TooManyStreams()) if is_refused else first.answer)
            return
        outcome = metrics.LEFT
        try:
            hold = holding.stream if held.kind == STREAM else holding.wait
            outcome = await hold(self._hub, watcher, first, held, to)
        finally:
            self._hub.leave(watcher)
            if held.kind == WAIT:
                metrics.WAITS.labels(outcome).inc()
            _log(held, outcome, began)


def _log(held: Holdable, outcome: str, began: float) -> None:
    """Write a second line about the request; the first was written after the view's answer."""
    fields = {
        "route": held.route,
        "duration_ms": round((time.perf_counter() - began) * 1000, 1),
        "reason": outcome,
        "account_id": held.key.account_id,
        "generation_id": str(held.generation.pk),
    }
    access.info("held", extra=fields)
