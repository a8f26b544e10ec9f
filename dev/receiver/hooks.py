"""The hooks: they note a delivery, then they do what their scenario says."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from contextlib import suppress

from aiohttp import web

from dev.emulator.hang import hold, reset
from dev.receiver.memory import Memory, verify
from dev.receiver.scenarios import CLOSE_UNREAD, UnknownScenarioError, parse

SLOW_SECONDS = 3.0
DRIP_SECONDS = 1.0  # between two bytes of a head
RETRY_AFTER = "2"  # seconds
CHUNK = b"x" * 16384
HEAD = b"HTTP/1.1 200 OK\r\nX-Drip: a head that comes a byte at a time\r\n\r\n"
GARBAGE = b"\x00\xff this is no HTTP\r\n\r\n"
ELSEWHERE = "/hooks/elsewhere"  # where a redirect leads; nothing may arrive there


class Hooks:
    """``POST /hooks/BOX`` and ``POST /hooks/BOX/SCENARIO``."""

    def __init__(self, memory: Memory, closing: asyncio.Event) -> None:
        self._memory = memory
        self._closing = closing

    def routes(self) -> list[web.RouteDef]:
        return [
            web.post("/hooks/{box}", self.receive),
            web.post("/hooks/{box}/{scenario}", self.receive),
        ]

    async def receive(self, request: web.Request) -> web.StreamResponse:
        """Note what came before anything is done about it."""
        at = time.time()
        name = request.match_info["box"]
        box = self._memory.box(name)
        box.under_way += 1
        box.most = max(box.most, box.under_way)
        try:
            return await self._receive(request, name, at)
        finally:
            box.under_way -= 1

    async def _receive(self, request: web.Request, name: str, at: float) -> web.StreamResponse:
        box = self._memory.box(name)
        headers = {key.lower(): value for key, value in request.headers.items()}
        said = box.scenario if box.scenario is not None else request.match_info.get("scenario", "")
        try:
            scenario = parse(said)
        except UnknownScenarioError as error:
            return web.Response(status=404, text=f"{error}\n")
        word = scenario.word(self._memory.attempt(name, headers.get("webhook-id", "")))
        if word == CLOSE_UNREAD:
            unread = (None, "it was not read")
            self._memory.note(name, headers, None, at=at, played=word, checked=unread)
            return reset(request)
        body = await request.read()
        checked = verify(box.secrets, headers, body)
        text = body.decode(errors="replace")
        self._memory.note(name, headers, text, at=at, played=word, checked=checked)
        if checked[0] is False:
            return web.Response(status=400, text=f"not taken: {checked[1]}\n")
        return await self._play(word, request)

    async def _play(self, word: str, request: web.Request) -> web.StreamResponse:
        match word:
            case "slow":
                await asyncio.sleep(SLOW_SECONDS)
            case "hang":
                return await hold(request, self._closing)
            case "drip":
                return await self._drip(request)
            case "endless":
                return await self._endless(request)
            case "garbage":
                if request.transport is not None:
                    request.transport.write(GARBAGE)
                    request.transport.close()
                return web.Response()
            case "close-read":
                return reset(request)
            case "dies":
                os.kill(os.getpid(), signal.SIGKILL)
        return _answer(word)

    async def _drip(self, request: web.Request) -> web.StreamResponse:
        """A head that takes a minute, so that no single read ever waits for long."""
        for number in range(len(HEAD)):
            if request.transport is None or request.transport.is_closing():
                break
            request.transport.write(HEAD[number : number + 1])
            with suppress(TimeoutError):
                await asyncio.wait_for(self._closing.wait(), DRIP_SECONDS)
                break
        return reset(request)

    async def _endless(self, request: web.Request) -> web.StreamResponse:
        """The status is there at once; what follows it never ends."""
        response = web.StreamResponse()
        with suppress(ConnectionError):
            await response.prepare(request)
            while not self._closing.is_set():
                await response.write(CHUNK)
                await asyncio.sleep(0)
        return response


def _answer(word: str) -> web.Response:
    """What is said in a word; a text follows that nobody may keep."""
    text = f"the receiver played {word}\n"
    if not word.isdigit():
        return web.Response(text=text)
    headers = {"429": {"Retry-After": RETRY_AFTER}, "301": {"Location": ELSEWHERE}}
    return web.Response(status=int(word), text=text, headers=headers.get(word))
