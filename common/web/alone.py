"""Lets a fault in one connection end that connection, and not the process with all others."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from common.surviving import surviving
from common.web.connection import Connection


def alone(step: Callable[..., None]) -> Callable[..., None]:
    """Make a method of the worker, about one connection, drop it when the method raises.

    Whatever a stranger found would end gunicorn's loop otherwise.
    """

    @functools.wraps(step)
    def guarded(worker: Any, connection: Connection, *rest: Any) -> None:
        def drop(error: Exception) -> None:
            worker.log.error("Connection lost by a fault in %s", step.__name__, exc_info=error)
            worker.drop(connection)

        with surviving(drop):
            step(worker, connection, *rest)

    return guarded
