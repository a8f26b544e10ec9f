"""What a stream is made of: server-sent events (contract, section 14)."""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.http import HttpRequest
from rest_framework.renderers import JSONRenderer

from common.api import shape
from common.errors import ApiError
from generation import progress, public
from generation.models import Generation, states

HEADERS = {
    "Content-Type": "text/event-stream; charset=utf-8",
    "Cache-Control": "no-store",
    "X-Accel-Buffering": "no",  # nginx would keep the frames until it has a buffer full
}
KEEP_ALIVE = b": keep-alive\n\n"
# Clients in Python take it for the end of a line, though streams do not. The renderer escapes the
# other characters of that kind.
NEXT_LINE = "\u0085".encode(), b"\\u0085"
SOONEST, LATEST = 3000, 6000  # milliseconds; at random, so that not all come back at once


def seen(request: HttpRequest) -> str | None:
    """The id of the client's last frame, from the header or else from the query."""
    header: str | None = request.headers.get("Last-Event-ID")
    return request.GET.get("after") if header is None else header


def frame_id(generation: Generation, now: datetime) -> str:
    """An id that changes with version, stage or progress. A new stage is a new version."""
    return f"{generation.version}.{progress.step(generation, now)}"


def come_back(least: int = 0) -> bytes:
    """The frame that says when the client may come back: not within ``least`` seconds."""
    wait = SOONEST + secrets.randbelow(LATEST - SOONEST + 1)
    return f"retry: {max(wait, least * 1000)}\n\n".encode()


def status(generation: Generation, now: datetime, base_url: str) -> bytes:
    """One frame with the flat body."""
    body: bytes = JSONRenderer().render(public.to_dict(generation, now, base_url))
    return _frame("status", body.replace(*NEXT_LINE), frame_id(generation, now))


def done(generation: Generation, now: datetime) -> bytes:
    """The last frame of a generation that has ended."""
    body = {"status": states.public_status(generation.state)}
    return _frame("done", _json(body), frame_id(generation, now))


def error(problem: ApiError) -> bytes:
    """The last frame of a stream that went wrong."""
    return _frame("error", _json(shape.body(str(problem.detail), problem.default_code)))


def finished(generation: Generation, now: datetime, base_url: str, had: str | None) -> bytes | None:
    """A whole stream that nobody holds; None if the client has all frames already."""
    is_new = frame_id(generation, now) != had
    if generation.is_open:
        begin = come_back(progress.retry_after(generation, now))
        return begin + status(generation, now, base_url) if is_new else begin
    if not is_new:
        return None
    return come_back() + status(generation, now, base_url) + done(generation, now)


def _frame(event: str, data: bytes, identity: str | None = None) -> bytes:
    head = "" if identity is None else f"id: {identity}\n"
    return f"{head}event: {event}\ndata: ".encode() + data + b"\n\n"


def _json(body: Mapping[str, Any]) -> bytes:
    return json.dumps(body, separators=(",", ":")).encode()
