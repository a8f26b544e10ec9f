"""Who works: every process of a stage leaves a sign of life in Redis, and so does Celery's beat.

The loop that claims and waits leaves it, not a thread that would outlive a hung one (decision 46).
All times are Redis's own. When Redis is away nobody knows, and nobody waits for it longer than once
in ``EVERY`` seconds.
"""

from __future__ import annotations

import logging
import os
import socket
import time

import redis

from work.redis import CLIENT
from work.wake import INTERVALS, STAGES

logger = logging.getLogger(__name__)

TICK = "tick"  # Celery beat, beside the stages
NAMES = (TICK, *STAGES)
EVERY = 5.0  # seconds between two signs of a process
KEPT = 300.0  # seconds; whoever said nothing for so long is forgotten
LATE = 30.0  # seconds beyond its interval after which a stage counts as dead

# A stage, or TICK: its workers ("host:pid") and how many seconds ago each was heard of, the newest
# first.
Beats = dict[str, list[tuple[str, float]]]

_redis = CLIENT
_last: dict[str, float] = {}  # when this process last tried, by its own monotonic clock


def beat(name: str) -> None:
    """Say that this process works on a stage; cheap enough to be called all the time."""
    now = time.monotonic()
    if now - _last.get(name, -EVERY) < EVERY:
        return
    _last[name] = now
    try:
        heard = _now()
        with _redis.pipeline(transaction=False) as pipe:
            pipe.zadd(_key(name), {f"{socket.gethostname()}:{os.getpid()}": heard})
            pipe.zremrangebyscore(_key(name), "-inf", heard - KEPT)
            pipe.pexpire(_key(name), int(KEPT * 1000))
            pipe.execute()
    except (redis.RedisError, OSError) as error:
        logger.warning("no sign of life of %s: %s", name, type(error).__name__)


def alive() -> Beats | None:
    """Who was heard of in the last ``KEPT`` seconds, for each of ``NAMES``; None without Redis."""
    try:
        with _redis.pipeline(transaction=False) as pipe:
            pipe.time()
            for name in NAMES:
                pipe.zrange(_key(name), 0, -1, desc=True, withscores=True)
            (seconds, microseconds), *found = pipe.execute()
    except (redis.RedisError, OSError):
        return None
    now = seconds + microseconds / 1e6
    return {
        name: [
            (member.decode(), max(0.0, now - score))
            for member, score in members
            if now - score < KEPT
        ]
        for name, members in zip(NAMES, found, strict=True)
    }


def silent(beats: Beats) -> list[str]:
    """The stages that nobody works on: not one process was heard of when it should have been."""
    limits = {name: INTERVALS.get(name, 1.0) + LATE for name in NAMES}
    return [name for name in NAMES if not any(age < limits[name] for _, age in beats[name])]


def _now() -> float:
    seconds, microseconds = _redis.time()
    return float(seconds + microseconds / 1e6)


def _key(name: str) -> str:
    return f"beats:{name}"
