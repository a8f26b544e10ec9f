"""One attempt at one receiver. It returns all of the answer that may be kept and shown."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Mapping
from dataclasses import dataclass

from aiohttp.abc import AbstractResolver
from django.conf import settings

from common import safe_post, webhook_urls
from common.retry_after import seconds_of
from common.safe_post import Answered, Kind, NotAnswered
from events.models import AttemptError

SECONDS = 15.0  # from the look-up of the name to the status
HEADERS = {"Content-Type": "application/json", "User-Agent": "Reelmint-Webhooks/1"}
STEP = 100  # milliseconds; durations are rounded up to these
# An unknown name, an address that we refuse and a host that refuses us take different times. The
# answer waits for the next half second, so that nobody can tell them apart.
CONNECTION_STEP = 500


@dataclass(frozen=True, slots=True)
class Answer:
    """What a receiver answered. ``error`` is None for a success."""

    status_code: int | None
    error: AttemptError | None
    duration_ms: int
    retry_after: float | None = None


async def post(
    url: str, body: bytes, headers: Mapping[str, str], *, resolver: AbstractResolver | None
) -> Answer:
    """Send it once. ``headers`` are those of the signature.

    Raises nothing that a receiver can cause.
    """
    started = time.monotonic()
    try:
        answered = await safe_post.post(
            url,
            body,
            HEADERS | dict(headers),
            taken=webhook_urls.taken(),
            seconds=SECONDS,
            allowed_origins=settings.WEBHOOK_ALLOWED_ORIGINS,
            resolver=resolver,
        )
    except NotAnswered as failure:
        return await _not_answered(failure.kind, started)
    return _answer(answered)


def _answer(answered: Answered) -> Answer:
    took = _told(answered.seconds, STEP)
    if 200 <= answered.status < 300:
        return Answer(answered.status, None, took)
    is_redirect = 300 <= answered.status < 400
    error = AttemptError.REDIRECT if is_redirect else AttemptError.HTTP_STATUS
    return Answer(answered.status, error, took, seconds_of(answered.retry_after))


async def _not_answered(kind: Kind, started: float) -> Answer:
    took = time.monotonic() - started
    if kind is not Kind.CONNECTION:
        return Answer(None, AttemptError(kind), _told(took, STEP))
    told = _told(took, CONNECTION_STEP)
    await asyncio.sleep(told / 1000 - took)
    return Answer(None, AttemptError.CONNECTION, told)


def _told(seconds: float, step: int) -> int:
    """Milliseconds, rounded up to the step, and at most what an attempt may take."""
    return min(max(math.ceil(seconds * 1000 / step), 1) * step, int(SECONDS * 1000))
