"""What only this receiver has: a page of what came in, boxes, and a way to begin anew."""

from __future__ import annotations

import html
import json
import time
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from aiohttp import web

from dev.receiver.memory import Memory, Received
from dev.receiver.scenarios import WORDS, UnknownScenarioError, parse

SENTENCE = "This is Reelmint's receiver of webhooks, for trying out: it shows what it got."
SHOWN = 50  # on the page


class ControlApi:
    """``/`` and ``/receiver/...``: for people, tests and the chaos run."""

    def __init__(self, memory: Memory) -> None:
        self._memory = memory

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/", self.home),
            web.get("/receiver/received", self.received),
            web.get("/receiver/boxes", self.boxes),
            web.put("/receiver/boxes/{box}", self.configure),
            web.post("/receiver/reset", self.reset),
        ]

    async def home(self, request: web.Request) -> web.Response:
        """What arrived last, for people."""
        if "json" in request.headers.get("Accept", ""):
            return web.json_response({"receiver": True, "description": SENTENCE})
        newest = self._memory.received()[-SHOWN:][::-1]
        return web.Response(text="".join(_page(newest)), content_type="text/html")

    async def received(self, request: web.Request) -> web.Response:
        """All that came behind ``?after=``, of ``?box=``; ``next`` is the following ``after``."""
        after = request.query.get("after", "0")
        if not (after.isascii() and after.isdigit()):
            return _refused("after is the number of what was received")
        found = self._memory.received(request.query.get("box"), int(after))
        last = found[-1].number if found else int(after)
        return web.json_response({"received": [asdict(each) for each in found], "next": last})

    async def boxes(self, request: web.Request) -> web.Response:
        """Each box with the most requests that it had at the same time; no secrets."""
        boxes = self._memory.boxes.items()
        return web.json_response(
            {name: {"scenario": box.scenario, "most_at_once": box.most} for name, box in boxes}
        )

    async def configure(self, request: web.Request) -> web.Response:
        """``{"secrets": ["whsec_..."], "scenario": "500=2"}``; both may be left out."""
        try:
            body: Any = json.loads(await request.read() or b"{}")
            secrets, scenario = body.get("secrets", []), body.get("scenario")
            parse(scenario or "")
        except (UnknownScenarioError, ValueError, AttributeError) as error:
            return _refused(str(error))
        if not isinstance(secrets, list) or not all(isinstance(each, str) for each in secrets):
            return _refused("secrets is a list of texts")
        self._memory.configure(request.match_info["box"], secrets, scenario)
        return web.Response(status=204)

    async def reset(self, request: web.Request) -> web.Response:
        self._memory.forget()
        return web.Response(status=204)


def _refused(why: str) -> web.Response:
    return web.json_response({"error": why}, status=400)


def _page(newest: list[Received]) -> Iterator[str]:
    yield "<!doctype html><meta charset=utf-8><title>Receiver of webhooks</title>"
    yield f"<h1>Receiver of webhooks</h1><p>{SENTENCE} Deliveries go to <code>/hooks/NAME</code>"
    yield f" or <code>/hooks/NAME/SCENARIO</code>, with one of {', '.join(WORDS)}.</p>"
    if not newest:
        yield "<p>Nothing has arrived yet.</p>"
    for each in newest:
        verdict = {True: "verified", False: f"REFUSED: {each.why}", None: each.why}[each.verified]
        when = time.strftime("%H:%M:%S", time.localtime(each.at))
        title = f"{when} {each.box} {each.id}, attempt {each.attempt}, {verdict}; {each.played}"
        yield f"<h2>{html.escape(title)}</h2><pre>{html.escape(each.body or '')}</pre>"
