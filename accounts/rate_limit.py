"""So many times in so many seconds, exact over all processes: moving windows kept in Redis.

When Redis is away or hangs, each process counts for itself until it is back. That lets through
more (a window for every process), never less; what must not be exceeded, credits and open
generations, is decided in PostgreSQL.
"""

from __future__ import annotations

import functools
import hashlib
import logging
import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from django.conf import settings
from limits import RateLimitItemPerSecond
from limits.storage import MemoryStorage, storage_from_string
from limits.strategies import MovingWindowRateLimiter
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

from common.errors import RateLimited
from config.env import limits_storage_url

T = TypeVar("T")
Question = Callable[[MovingWindowRateLimiter], T]

logger = logging.getLogger(__name__)

REDIS_TIMEOUT = 0.2  # seconds; a loaded Redis answers in a few milliseconds
REDIS_REST = 5.0  # seconds without asking it again, so that a hung one costs one request of many


@dataclass(frozen=True, slots=True)
class Decision:
    """Where a window stands. ``reset_in`` = whole seconds until a place in it becomes free."""

    allowed: bool
    limit: int
    remaining: int
    reset_in: int


class RateLimiter:
    """Counts in the Redis at ``redis_url``, and in this process while that one rests."""

    def __init__(self, redis_url: str) -> None:
        options: dict[str, Any] = {
            "socket_timeout": REDIS_TIMEOUT,
            "socket_connect_timeout": REDIS_TIMEOUT,
            "retry": Retry(NoBackoff(), 0),
            "key_prefix": "reelmint",
        }
        storage = storage_from_string(limits_storage_url(redis_url), **options)
        self._shared = MovingWindowRateLimiter(storage)
        self._own = MovingWindowRateLimiter(MemoryStorage())
        self._rests_until = 0.0

    def hit(self, name: str, limit: int, per_seconds: int, *identifiers: str) -> Decision:
        """Take a place in the window if there is one; asking and taking are one step."""
        item = RateLimitItemPerSecond(limit, per_seconds, namespace=name)
        who = _digest(identifiers)

        def question(limiter: MovingWindowRateLimiter) -> Decision:
            allowed = limiter.hit(item, who)
            return _stand(limiter, item, who, allowed)

        return self._ask(question)

    def peek(self, name: str, limit: int, per_seconds: int, *identifiers: str) -> Decision:
        """Whether there is a place, without taking it."""
        item = RateLimitItemPerSecond(limit, per_seconds, namespace=name)
        who = _digest(identifiers)
        return self._ask(lambda limiter: _stand(limiter, item, who, None))

    def forget(self, name: str, limit: int, per_seconds: int, *identifiers: str) -> None:
        """Empty the window."""
        item = RateLimitItemPerSecond(limit, per_seconds, namespace=name)
        who = _digest(identifiers)
        self._ask(lambda limiter: limiter.clear(item, who))

    def _ask(self, question: Question[T]) -> T:
        now = time.monotonic()
        if now < self._rests_until:
            return question(self._own)
        if self._rests_until:
            # One thread finds out whether it is back; the others need not wait for that too.
            self._rests_until = now + REDIS_REST
        try:
            answer = question(self._shared)
        except (RedisError, OSError) as error:
            logger.warning("rate limits are counted per process: %s", type(error).__name__)
            self._rests_until = time.monotonic() + REDIS_REST
            return question(self._own)
        self._rests_until = 0.0
        return answer


def _stand(
    limiter: MovingWindowRateLimiter, item: RateLimitItemPerSecond, who: str, allowed: bool | None
) -> Decision:
    stats = limiter.get_window_stats(item, who)
    remaining = max(0, stats.remaining)
    return Decision(
        allowed=remaining > 0 if allowed is None else allowed,
        limit=item.amount,
        remaining=remaining,
        reset_in=max(1, math.ceil(stats.reset_time - time.time())),
    )


def _digest(identifiers: tuple[str, ...]) -> str:
    """A key of one length, so that nobody's input or e-mail address stands in Redis."""
    return hashlib.sha256("\0".join(identifiers).encode()).hexdigest()[:32]


@functools.cache
def _limiter(redis_url: str) -> RateLimiter:
    return RateLimiter(redis_url)


def hit(name: str, limit: int, per_seconds: int, *identifiers: str) -> Decision:
    """Take a place among ``limit`` in any ``per_seconds`` seconds, if there is one."""
    return _limiter(settings.REDIS_URL).hit(name, limit, per_seconds, *identifiers)


def peek(name: str, limit: int, per_seconds: int, *identifiers: str) -> Decision:
    """Whether ``hit`` would find a place now; takes none."""
    return _limiter(settings.REDIS_URL).peek(name, limit, per_seconds, *identifiers)


def forget(name: str, limit: int, per_seconds: int, *identifiers: str) -> None:
    """Empty the window, as after a success that proves the failures harmless."""
    _limiter(settings.REDIS_URL).forget(name, limit, per_seconds, *identifiers)


def too_many(decision: Decision) -> RateLimited:
    """The 429 of a refused ``decision``; ``Retry-After`` is when a place becomes free."""
    wait = decision.reset_in
    return RateLimited(
        f"Too many requests, try again in {wait} second{'' if wait == 1 else 's'}",
        headers={"Retry-After": str(wait)},
    )
