"""What a worker process keeps for its life, and one pass of a stage in it."""

from __future__ import annotations

import mmap
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

from celery.exceptions import SoftTimeLimitExceeded
from celery.signals import worker_shutting_down
from django.db import close_old_connections
from structlog.contextvars import bound_contextvars

from work import metrics
from work.engine import Engine
from work.heartbeat import beat
from work.stage import Stage
from work.wake import taken, wake

SECONDS = 20.0  # how long one task goes on refilling its slots

# One byte shared with the worker's main process, which is the one that hears the SIGTERM.
_stopping = mmap.mmap(-1, 1)


@worker_shutting_down.connect
def stop_claiming(**_: Any) -> None:
    """Claim no more. What was claimed is finished; what comes due from now on is for others."""
    _stopping[0] = 1


def is_stopping() -> bool:
    """Whether this worker was told to end."""
    return _stopping[0] != 0


@cache
def engine() -> Engine:
    """This process's, made at its first task and therefore after the fork."""
    return Engine()


@contextmanager
def task_of(stage: str) -> Iterator[None]:
    """What each task does first: let the next hint through, and give a sign of life."""
    taken(stage)
    beat(stage)
    close_old_connections()
    with bound_contextvars(stage=stage):
        yield


def run(name: str, stage: Callable[[], Stage[Any]]) -> int:
    """Work a stage for up to 20 s; how many rows it was."""
    with task_of(name):
        return counted(
            name,
            lambda: engine().run(stage(), SECONDS, lambda: _turn(name), SoftTimeLimitExceeded),
        )


def counted(name: str, work: Callable[[], int]) -> int:
    """Note how long a run took and what came of it; ``work`` returns how many rows it was."""
    began, outcome, rows = time.monotonic(), "failed", 0
    try:
        rows = work()
        outcome = "worked" if rows else "idle"
    finally:
        metrics.STAGE_RUNS.labels(name, outcome).inc()
        metrics.STAGE_ROWS.labels(name).inc(rows)
        metrics.STAGE_SECONDS.labels(name).observe(time.monotonic() - began)
    return rows


def _turn(name: str) -> bool:
    """The engine asks once a turn whether to end: a sign of life, as long as it turns."""
    beat(name)
    return is_stopping()


__all__ = ["counted", "engine", "run", "task_of", "wake"]
