"""What a worker process keeps for its life, and one pass of a stage in it."""

from __future__ import annotations

import mmap
from collections.abc import Callable
from functools import cache
from typing import Any, TypeVar

from celery.signals import worker_shutting_down
from django.db import close_old_connections

from generation.backends.base import Reader
from generation.engine import Engine
from generation.heartbeat import beat
from generation.provider import Provider, connect
from generation.stages.base import StageBase
from generation.wake import taken, wake

SECONDS = 20.0  # how long one task goes on refilling its slots
B = TypeVar("B", bound=Reader)

# One byte shared with the worker's main process, which is the one that hears the SIGTERM.
_stopping = mmap.mmap(-1, 1)


@worker_shutting_down.connect
def stop_claiming(**_: Any) -> None:
    """What was claimed is finished; what comes due from now on is for others."""
    _stopping[0] = 1


def is_stopping() -> bool:
    """Whether this worker was told to end."""
    return _stopping[0] != 0


@cache
def engine() -> Engine:
    """This process's, made at its first task and therefore after the fork."""
    return Engine()


@cache
def provider(backend: Callable[..., B]) -> Provider[B]:
    """The one of this process; ``backend`` as for generation.provider.connect()."""
    return connect(backend)


def run(name: str, stage: Callable[[], StageBase]) -> int:
    """Work a stage for up to 20 s; how many rows it was."""
    taken(name)
    beat(name)
    close_old_connections()
    return engine().run(stage(), SECONDS, lambda: _turn(name))


def _turn(name: str) -> bool:
    """The engine asks once a turn whether to end: a sign of life, as long as it turns."""
    beat(name)
    return is_stopping()


__all__ = ["engine", "provider", "run", "wake"]
