"""Wake-ups: hints that a stage has work. Every one of them may be lost.

A web process hands a hint to a thread and goes on; a refused or hung Redis therefore never costs a
request anything. Hints are coalesced twice: in the thread (one publish for all that came meanwhile)
and in Redis (none while one is still waiting), so that nothing piles up when nobody works.
"""

from __future__ import annotations

import logging
import threading
import time
from typing import Any

import redis
from celery.beat import Scheduler
from django.conf import settings
from kombu.exceptions import OperationalError

from config.celery import app

logger = logging.getLogger(__name__)

STAGES = ("submit", "poll", "store")
# Compared with the clock of the worker's host, which may be some seconds off.
EXPIRES = 30
PAUSE = 0.02  # seconds between two publishes of one process


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
_redis = redis.Redis.from_url(
    settings.REDIS_URL, socket_timeout=1, socket_connect_timeout=1, health_check_interval=30
)


def wake(stage: str) -> None:
    """Hint that ``stage`` has work; returns at once, whatever Redis does."""
    _waker.wake(stage)


def publish(stage: str) -> bool:
    """Send the hint unless one is waiting already; False when it was not needed or not possible."""
    try:
        if _redis.llen(stage):
            return False
        app.send_task(f"generation.{stage}", queue=stage, expires=EXPIRES, ignore_result=True)
    except (redis.RedisError, OperationalError, OSError) as error:
        logger.warning("no wake-up for %s: %s", stage, type(error).__name__)
        return False
    return True


class TickScheduler(Scheduler):
    """Beat's clock: every stage once a second, coalesced like any other wake-up.

    Two beats do no harm and none costs only the seconds until it is back. It keeps no file.
    """

    def setup_schedule(self) -> None:
        """Beat calls this once at its start."""
        entries: dict[str, Any] = {
            stage: {"task": f"generation.{stage}", "schedule": 1.0} for stage in STAGES
        }
        self.merge_inplace(entries)

    def apply_async(self, entry: Any, *_: Any, advance: bool = True, **__: Any) -> None:
        """Publish one tick and note when it was."""
        if advance:
            self.reserve(entry)
        publish(entry.name)
