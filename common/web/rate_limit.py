"""So many times in so many seconds, exact over all processes: moving windows kept in Redis.

When Redis is away, hangs or is full, each process counts for itself until it is back. That lets
through more (a window for every process), never less; what must not be exceeded, credits and open
generations, is decided in PostgreSQL. Only the requests that find out wait for it, once for
``REDIS_TIMEOUT``; whether it is back is asked by a thread of its own, never by a request.
"""

from __future__ import annotations

import functools
import hashlib
import logging
import math
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from django.conf import settings
from limits import RateLimitItem, RateLimitItemPerSecond
from limits.storage import MemoryStorage, RedisStorage, storage_from_string
from limits.strategies import MovingWindowRateLimiter
from redis.backoff import NoBackoff
from redis.exceptions import NoScriptError, RedisError
from redis.retry import Retry

from common.errors import RateLimited
from common.web.redis_window import RedisWindow, SentHit

T = TypeVar("T")
Question = Callable[[MovingWindowRateLimiter], T]

logger = logging.getLogger(__name__)

REDIS_TIMEOUT = 0.05  # seconds; a loaded Redis answers in a few milliseconds
REDIS_REST = 1.0  # seconds between two looks whether it is back
PROBE = RateLimitItemPerSecond(1, 1, namespace="probe")


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
        storage = storage_from_string(redis_url, **options)
        self._shared = MovingWindowRateLimiter(storage)
        self._window = RedisWindow(storage) if type(storage) is RedisStorage else None
        self._own = MovingWindowRateLimiter(MemoryStorage())
        self._away = threading.Event()
        self._lock = threading.Lock()

    def hit(self, name: str, limit: int, per_seconds: int, *identifiers: str) -> Decision:
        """Take a place in the window if there is one; asking and taking are one step."""
        return self.ask(name, limit, per_seconds, *identifiers)()

    def ask(
        self, name: str, limit: int, per_seconds: int, *identifiers: str
    ) -> Callable[[], Decision]:
        """The same in two halves: ask, and call what is returned for the answer.

        It has to be called, once, also if nobody wants the answer any more.
        """
        item = RateLimitItemPerSecond(limit, per_seconds, namespace=name)
        who = _digest(identifiers)
        sent = self._send(item, who)

        def answer() -> Decision:
            decision = None if sent is None else self._read(item, sent)
            return decision or self._ask(lambda limiter: _hit(limiter, item, who))

        return answer

    def peek(self, name: str, limit: int, per_seconds: int, *identifiers: str) -> Decision:
        """Whether there is a place, without taking it."""
        item = RateLimitItemPerSecond(limit, per_seconds, namespace=name)
        who = _digest(identifiers)
        return self._ask(lambda limiter: _stand(limiter, item, who, None))

    def forget(self, name: str, limit: int, per_seconds: int, *identifiers: str) -> None:
        item = RateLimitItemPerSecond(limit, per_seconds, namespace=name)
        who = _digest(identifiers)
        self._ask(lambda limiter: limiter.clear(item, who))

    def _send(self, item: RateLimitItem, who: str) -> SentHit | None:
        """None when Redis cannot be asked so, or is away."""
        if self._window is None or self._away.is_set():
            return None
        try:
            return self._window.send(item, who)
        except (RedisError, OSError) as error:
            self._leave_alone(error)
            return None

    def _read(self, item: RateLimitItem, sent: SentHit) -> Decision | None:
        try:
            allowed, taken, free_at = sent.read()
        except NoScriptError:  # of a Redis that was just started
            return None
        except (RedisError, OSError) as error:
            self._leave_alone(error)
            return None
        return _decision(item, allowed, item.amount - taken, free_at)

    def _ask(self, question: Question[T]) -> T:
        if not self._away.is_set():
            try:
                return question(self._shared)
            except (RedisError, OSError) as error:
                self._leave_alone(error)
        return question(self._own)

    def _leave_alone(self, error: Exception) -> None:
        """Let no request ask Redis until it is back; of many that fail at once one sees to it."""
        with self._lock:
            if self._away.is_set():
                return
            self._away.set()
        logger.warning("rate limits are counted per process: %s", type(error).__name__)
        threading.Thread(target=self._await, name="redis-probe", daemon=True).start()

    def _await(self) -> None:
        """Try what the requests do, a full Redis answers a ping; return once it works."""
        while self._away.is_set():
            time.sleep(REDIS_REST)
            try:
                self._shared.hit(PROBE)
            except (RedisError, OSError):
                continue
            self._away.clear()
            logger.warning("rate limits are counted in Redis again")


def _hit(limiter: MovingWindowRateLimiter, item: RateLimitItemPerSecond, who: str) -> Decision:
    allowed = limiter.hit(item, who)
    return _stand(limiter, item, who, allowed)


def _stand(
    limiter: MovingWindowRateLimiter, item: RateLimitItemPerSecond, who: str, allowed: bool | None
) -> Decision:
    stats = limiter.get_window_stats(item, who)
    if allowed is None:
        allowed = stats.remaining > 0
    return _decision(item, allowed, stats.remaining, stats.reset_time)


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


def ask(name: str, limit: int, per_seconds: int, *identifiers: str) -> Callable[[], Decision]:
    """The same in two halves; what is returned has to be called once, for the decision."""
    return _limiter(settings.RATE_LIMIT_STORAGE_URL).ask(name, limit, per_seconds, *identifiers)


def peek(name: str, limit: int, per_seconds: int, *identifiers: str) -> Decision:
    """Whether ``hit`` would find a place now; takes none."""
    return _limiter(settings.RATE_LIMIT_STORAGE_URL).peek(name, limit, per_seconds, *identifiers)


def forget(name: str, limit: int, per_seconds: int, *identifiers: str) -> None:
    """Empty the window, as after a success that proves the failures harmless."""
    _limiter(settings.RATE_LIMIT_STORAGE_URL).forget(name, limit, per_seconds, *identifiers)


def too_many(decision: Decision) -> RateLimited:
    """The 429 of a refused ``decision``; ``Retry-After`` is when a place becomes free."""
    wait = decision.reset_in
    return RateLimited(
        f"Too many requests, try again in {wait} second{'' if wait == 1 else 's'}",
        headers={"Retry-After": str(wait)},
    )
