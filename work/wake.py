"""Wake-ups: hints that a stage has work. Every one of them may be lost.

A thread publishes them, so that a refused or hung Redis costs no request anything. They are
coalesced in the thread, by a flag in Redis and by the queue's length; a worker ignores one that is
older than its last run (decision 35).
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from typing import Any

import redis
from celery import current_task
from celery.exceptions import Ignore
from django.conf import settings
from kombu.exceptions import OperationalError
from redis.client import Pipeline

from work.queue import app
from work.redis import CLIENT

logger = logging.getLogger(__name__)

# Which queue a stage's wake-ups go to, and how often beat ticks it (seconds).
QUEUES = {name: stage.queue for name, stage in settings.STAGES.items()}
INTERVALS = {name: stage.seconds for name, stage in settings.STAGES.items()}
TASKS = {name: stage.task for name, stage in settings.STAGES.items()}
STAGES = tuple(QUEUES)
FLAG_SECONDS = 3.0
PAUSE = 0.1  # seconds between two publishes of one process; the first after a calm never waits
SENT = "sent"  # the header that says when, by Redis's clock

_began: dict[str, float] = {}  # when this process last began a run of each stage, likewise


class _Waker:
    """The thread of one process, started at its first hint (so after any fork)."""

    def __init__(self) -> None:
        self._asked = threading.Event()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._stages: set[str] = set()

    def wake(self, stage: str) -> None:
        with self._lock:
            self._stages.add(stage)
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._run, name="wake", daemon=True)
                self._thread.start()
        self._asked.set()

    def _run(self) -> None:
        while True:
            self._asked.wait()
            self._asked.clear()
            with self._lock:
                stages, self._stages = self._stages, set()
            for stage in stages:
                publish(stage)
            time.sleep(PAUSE)


_waker = _Waker()
_redis = CLIENT


def wake(stage: str) -> None:
    """Hint that ``stage`` has work; returns at once, whatever Redis does."""
    _waker.wake(stage)


def publish(stage: str) -> bool:
    """Send the hint unless one is on its way; False when it was not needed or not possible."""
    queue = QUEUES[stage]
    try:
        if int(_redis.llen(queue)) >= _sharing(queue):
            return False
        milliseconds = int(FLAG_SECONDS * 1000)
        is_first, now = _with_time(lambda both: both.set(_flag(stage), 1, nx=True, px=milliseconds))
        if not is_first:
            return False
        app.send_task(TASKS[stage], queue=queue, ignore_result=True, headers={SENT: now})
    except (redis.RedisError, OperationalError, OSError) as error:
        logger.warning("no wake-up for %s: %s", stage, type(error).__name__)
        return False
    return True


def taken(stage: str) -> None:
    """Let the next hint through; a task calls it before it claims (decision 35).

    Raises celery's Ignore when this process has begun a run since the hint was sent.
    """
    try:
        _, now = _with_time(lambda both: both.delete(_flag(stage)))
    except (redis.RedisError, OSError) as error:
        logger.warning("the flag of %s stands until its end: %s", stage, type(error).__name__)
        return
    if is_stale(stage, current_task.request.get(SENT) if current_task else None, now):
        raise Ignore
    _began[stage] = now


def is_stale(stage: str, sent: float | None, now: float) -> bool:
    """Whether a run began after ``sent``; all times by Redis's clock, in seconds.

    One that lies ahead of ``now`` says nothing: it is of another server, or of another clock.
    """
    began = _began.get(stage)
    return sent is not None and began is not None and sent < began <= now


def _with_time(command: Callable[[Pipeline], object]) -> tuple[Any, float]:
    """The answer of a command, and what time it was for Redis then.

    One transaction, so that no run begins between the two.
    """
    with _redis.pipeline(transaction=True) as both:
        command(both)
        both.time()
        answer, (seconds, microseconds) = both.execute()
    return answer, seconds + microseconds / 1e6


def _flag(stage: str) -> str:
    return f"wake:{stage}"


def _sharing(queue: str) -> int:
    """How many stages a queue serves: so many messages may wait in it, one of each."""
    return sum(name == queue for name in QUEUES.values())
