"""What a worker process keeps for its life, and one pass of a stage in it."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import TypeVar

from django.db import close_old_connections

from generation.backends.base import Reader
from generation.engine import Engine
from generation.provider import Provider, connect
from generation.stages.base import StageBase
from generation.wake import taken, wake

SECONDS = 20.0  # how long one task goes on refilling its slots
B = TypeVar("B", bound=Reader)


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
    close_old_connections()
    return engine().run(stage(), SECONDS)


__all__ = ["engine", "provider", "run", "wake"]
