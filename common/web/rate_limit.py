"""So many times in so many seconds, exact over all processes: moving windows kept in Redis.

When Redis is away, hangs or is full, each process counts for itself: more gets through, never less.
Only the requests that find out wait, once for ``REDIS_TIMEOUT``; a thread asks whether it is back.
What must not be exceeded is decided in PostgreSQL.
"""

from __future__ import annotations

import functools
import hashlib
import logging
import math
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, TypeVar, cast

from django.conf import settings
from limits import RateLimitItem, RateLimitItemPerSecond
from limits.storage import MemoryStorage, RedisStorage, storage_from_string
from limits.strategies import MovingWindowRateLimiter
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

from common.errors import RateLimited

T = TypeVar("T")

logger = logging.getLogger(__name__)

PREFIX = "reelmint"
REDIS_TIMEOUT = 0.05  # seconds; a loaded Redis answers in a few milliseconds
REDIS_REST = 1.0  # seconds between two looks whether it is back
PROBE = RateLimitItemPerSecond(1, 1, namespace="probe")
# Takes a place and says where the window stands, which `limits` asks in two round trips. The list
# is the one that `limits` keeps: the times of the places that were taken, the newest first.
HIT = b"""
local places, now, limit, seconds = KEYS[1], tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local taken, oldest = redis.call('LLEN', places), false
while taken > 0 do
    oldest = redis.call('LINDEX', places, -1)
    if tonumber(oldest) >= now - seconds then break end
    redis.call('RPOP', places)
    taken, oldest = taken - 1, false
end
if taken >= limit then return {0, taken, oldest or ARGV[1]} end
redis.call('LPUSH', places, ARGV[1])
redis.call('EXPIRE', places, ARGV[3])
return {1, taken + 1, oldest or ARGV[1]}
"""


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
            "key_prefix": PREFIX,
        }
        storage = cast("RedisStorage", storage_from_string(redis_url, **options))
        self._shared = MovingWindowRateLimiter(storage)
        self._script: Any = storage.get_connection().register_script(HIT)
        self._own = MovingWindowRateLimiter(MemoryStorage())
        self._away = threading.Event()
        self._lock = threading.Lock()

    def hit(self, name: str, limit: int, per_seconds: int, *identifiers: str) -> Decision:
        """Take a place in the window if there is one; asking and taking are one step."""
        item = RateLimitItemPerSecond(limit, per_seconds, namespace=name)
        who = _digest(identifiers)
        return self._ask(lambda: self._hit_shared(item, who), lambda: self._hit_own(item, who))

    def peek(self, name: str, limit: int, per_seconds: int, *identifiers: str) -> Decision:
        """Whether there is a place, without taking it."""
        item = RateLimitItemPerSecond(limit, per_seconds, namespace=name)
        who = _digest(identifiers)
        return self._ask(
            lambda: _stand(self._shared, item, who), lambda: _stand(self._own, item, who)
        )

    def clear(self, name: str, limit: int, per_seconds: int, *identifiers: str) -> None:
        item = RateLimitItemPerSecond(limit, per_seconds, namespace=name)
        who = _digest(identifiers)
        self._ask(lambda: self._shared.clear(item, who), lambda: self._own.clear(item, who))

    def _hit_shared(self, item: RateLimitItem, who: str) -> Decision:
        keys, seconds = [f"{PREFIX}:{item.key_for(who)}"], item.get_expiry()
        allowed, taken, oldest = self._script(keys, [time.time(), item.amount, seconds])
        return _decision(item, bool(allowed), item.amount - taken, float(oldest) + seconds)

    def _hit_own(self, item: RateLimitItem, who: str) -> Decision:
        allowed = self._own.hit(item, who)
        return replace(_stand(self._own, item, who), allowed=allowed)

    def _ask(self, shared: Callable[[], T], own: Callable[[], T]) -> T:
        if not self._away.is_set():
            try:
                return shared()
            except (RedisError, OSError) as error:
                self._leave_alone(error)
        return own()

    def _leave_alone(self, error: Exception) -> None:
        """Let no request ask Redis until it is back; the first that fails starts the probe."""
        with self._lock:
            if self._away.is_set():
                return
            self._away.set()
        logger.warning("rate limits are counted per process: %s", type(error).__name__)
        threading.Thread(target=self._await, name="redis-probe", daemon=True).start()

    def _await(self) -> None:
        """Take a place, as requests do, until that works; a full Redis would answer a ping."""
        while self._away.is_set():
            time.sleep(REDIS_REST)
            try:
                self._hit_shared(PROBE, "")
            except (RedisError, OSError):
                continue
            self._away.clear()
            logger.warning("rate limits are counted in Redis again")


def _stand(limiter: MovingWindowRateLimiter, item: RateLimitItem, who: str) -> Decision:
    stats = limiter.get_window_stats(item, who)
    return _decision(item, stats.remaining > 0, stats.remaining, stats.reset_time)


def _decision(item: RateLimitItem, allowed: bool, remaining: int, resets_at: float) -> Decision:
    return Decision(
        allowed=allowed,
        limit=item.amount,
        remaining=max(0, remaining),
        reset_in=max(1, math.ceil(resets_at - time.time())),
    )


def _digest(identifiers: tuple[str, ...]) -> str:
    """A key of one length, so that nobody's input or e-mail address stands in Redis."""
    return hashlib.sha256("\0".join(identifiers).encode()).hexdigest()[:32]


@functools.cache
def _limiter(redis_url: str) -> RateLimiter:
    return RateLimiter(redis_url)


def hit(name: str, limit: int, per_seconds: int, *identifiers: str) -> Decision:
    """Take a place among ``limit`` in any ``per_seconds`` seconds, if there is one."""
    return _limiter(settings.RATE_LIMIT_STORAGE_URL).hit(name, limit, per_seconds, *identifiers)


def peek(name: str, limit: int, per_seconds: int, *identifiers: str) -> Decision:
    """Whether ``hit`` would find a place now; takes none."""
    return _limiter(settings.RATE_LIMIT_STORAGE_URL).peek(name, limit, per_seconds, *identifiers)


def clear(name: str, limit: int, per_seconds: int, *identifiers: str) -> None:
    """Empty the window, as after a success that proves the failures harmless."""
    _limiter(settings.RATE_LIMIT_STORAGE_URL).clear(name, limit, per_seconds, *identifiers)


def too_many(decision: Decision) -> RateLimited:
    """The 429 of a refused ``decision``; ``Retry-After`` is when a place becomes free."""
    wait = decision.reset_in
    return RateLimited(
        f"Too many requests, try again in {wait} second{'' if wait == 1 else 's'}",
        headers={"Retry-After": str(wait)},
    )
