"""The first answer to every request: the ordinary view gives it, in a thread.

So authentication, limits, errors and ETag are the same as at the web. The request for a generation
that is still open may then be held.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from io import BytesIO
from typing import Any, cast

from django.core.handlers.asgi import ASGIRequest
from django.core.signals import request_started
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase

from accounts.arrival import Arrival
from accounts.models import ApiKey
from common.api import shape
from common.api.base_url import base_url
from common.telemetry import request_id
from generation.api import held
from generation.models import Generation
from webhooks.waiter import frames
from webhooks.waiter.metrics import STREAM, WAIT
from webhooks.waiter.sending import Answer

THREADS = 4  # each has a connection to the database
OPEN = (200, 304)  # the statuses of an answer about an open generation
Scope = dict[str, Any]
View = Callable[[HttpRequest], HttpResponseBase]


@dataclass(frozen=True, slots=True)
class Holdable:
    """A request about an open generation, and how it wants to be held."""

    kind: str
    generation: Generation
    key: ApiKey
    route: str
    base_url: str
    seconds: int  # of a wait
    if_none_match: str | None  # of a wait
    had: str | None  # of a stream: the id of the last frame


@dataclass(frozen=True, slots=True)
class First:
    """What the view answered. ``is_wait``: the request asked to be held, whether it was or not."""

    answer: Answer
    request_id: str
    is_wait: bool
    holdable: Holdable | None


class FirstAnswers:
    """Asks one of ``views`` for its path, and ``everything``, which is Django, for the others."""

    def __init__(self, everything: View, views: Mapping[str, View]) -> None:
        self._everything = everything
        self._views = views
        self._threads = ThreadPoolExecutor(THREADS, "first")

    async def of(self, scope: Scope) -> First:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, self._first, scope)

    def stop(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _first(self, scope: Scope) -> First:
        request_started.send(sender=type(self), scope=scope)
        try:
            request = ASGIRequest(scope, BytesIO())  # nothing here reads a body
        except UnicodeDecodeError:  # the query is no text
            return First(Answer.of(shape.shaped(400)), "", False, None)
        view = self._views.get(request.path_info.rstrip("/"), self._everything)
        response = cast("HttpResponse", view(request))  # none of them sends a file
        first = _described(request, response)
        response.close()  # gives the connection to the database back
        return first


def _described(request: HttpRequest, response: HttpResponse) -> First:
    kind = STREAM if request.path_info.rstrip("/").endswith("/events") else WAIT
    answer = Answer.of(response)
    identity = response.headers.get(request_id.HEADER, "")
    arrival = getattr(request, "auth", None)  # DRF leaves it there
    if request.method != "GET" or response.status_code not in OPEN:
        return First(answer, identity, False, None)
    if not isinstance(arrival, Arrival):
        return First(answer, identity, False, None)
    seconds = held.seconds(request) if kind == WAIT else None
    is_wait, generation = seconds is not None, arrival.found
    match = request.resolver_match
    if not generation.is_open or (kind == WAIT and not is_wait):
        return First(answer, identity, is_wait, None)
    holdable = Holdable(
        kind,
        generation,
        arrival.key,
        "" if match is None else match.route,
        base_url(request),
        seconds or 0,
        request.headers.get("If-None-Match"),
        frames.seen(request) if kind == STREAM else None,
    )
    return First(answer, identity, is_wait, holdable)
