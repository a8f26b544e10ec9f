"""Holding one request: a wait until the generation's end, a stream with each of its changes."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Iterator

from rest_framework.renderers import JSONRenderer

from common.api.headers import judged
from common.errors import ApiError, ServiceUnavailable
from generation import public
from webhooks.waiter import frames, metrics
from webhooks.waiter.first import First, Holdable
from webhooks.waiter.hub import BLIND, Hub
from webhooks.waiter.sending import Answer, Connection
from webhooks.waiter.watching import Watcher

KEEP_ALIVE = 15.0  # seconds of silence
LONGEST = 600.0  # seconds of a stream
BLIND_AT_THE_END = 5.0  # seconds without a look; after more, a wait has no true answer


async def wait(hub: Hub, watcher: Watcher, first: First, held: Holdable, to: Connection) -> str:
    """Answer at the generation's end or after the wait's seconds; return the outcome's word."""
    ends = time.monotonic() + held.seconds
    with _watched_for_leaving(to, watcher):
        while not (hub.is_ending or watcher.has_left or watcher.refusal or _is_over(watcher)):
            if not await watcher.woken(ends - time.monotonic()):
                break
    if watcher.has_left:
        return metrics.LEFT
    outcome = metrics.AT_ONCE if hub.is_ending else metrics.TIMED_OUT
    error: ApiError | None = watcher.refusal
    if _is_over(watcher):
        outcome = metrics.ENDED
    elif error is None and not hub.is_ending and hub.blind_for > BLIND_AT_THE_END:
        error = ServiceUnavailable()
    if error is not None:
        await to.whole(first.answer.refused(error))
        return metrics.REFUSED
    await to.whole(_told(hub, watcher, first.answer, held))
    return outcome


def _is_over(watcher: Watcher) -> bool:
    return not watcher.watched.row.is_open


def _told(hub: Hub, watcher: Watcher, first: Answer, held: Holdable) -> Answer:
    """The answer that the view would give now."""
    row = watcher.watched.row
    now = hub.now(row.now)
    headers = {"Preference-Applied": f"wait={held.seconds}", **public.headers(row, now)}
    conditions = {} if held.if_none_match is None else {"If-None-Match": held.if_none_match}
    if judged(conditions, headers["ETag"]) is not None:
        return first.instead(304, headers, b"")
    body: bytes = JSONRenderer().render(public.to_dict(row, now, held.base_url))
    return first.instead(200, {"Content-Type": "application/json", **headers}, body)


async def stream(hub: Hub, watcher: Watcher, first: First, held: Holdable, to: Connection) -> str:
    """Send frames until the end, an error, the client's leaving or LONGEST; return the outcome."""
    ends, told = time.monotonic() + LONGEST, held.had
    answer = first.answer.instead(200, frames.HEADERS, b"")
    with _watched_for_leaving(to, watcher):
        await to.start(answer.status, answer.headers)
        await to.part(frames.come_back(), more=True)
        while not watcher.has_left:
            row = watcher.watched.row
            now = hub.now(row.now)
            if (trouble := _trouble(hub, watcher)) is not None:
                await to.part(frames.error(trouble), more=False)
                return metrics.REFUSED
            if (identity := frames.frame_id(row, now)) != told:
                told = identity
                await to.part(frames.status(row, now, held.base_url), more=True)
            if not row.is_open:
                await to.part(frames.done(row, now), more=False)
                return metrics.ENDED
            left = ends - time.monotonic()
            if hub.is_ending or left <= 0:
                await to.part(b"", more=False)
                return metrics.TIMED_OUT
            if not await watcher.woken(min(KEEP_ALIVE, left)) and left > KEEP_ALIVE:
                await to.part(frames.KEEP_ALIVE, more=True)
    return metrics.LEFT


def _trouble(hub: Hub, watcher: Watcher) -> ApiError | None:
    if watcher.refusal is not None:
        return watcher.refusal
    return ServiceUnavailable() if hub.blind_for >= BLIND and not hub.is_ending else None


@contextlib.contextmanager
def _watched_for_leaving(to: Connection, watcher: Watcher) -> Iterator[None]:
    """Tell the watcher as soon as its client has gone."""

    async def look() -> None:
        await to.left()
        watcher.leave()

    task = asyncio.ensure_future(look())
    try:
        yield
    finally:
        task.cancel()
