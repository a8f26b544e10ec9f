"""Keeps a fault met in one connection from ending the process with all others."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from common.web.connection import Connection


def alone(step: Callable[..., None]) -> Callable[..., None]:
    """Make a method of the worker, about one connection, drop it when the method raises."""

    @functools.wraps(step)
    def guarded(worker: Any, connection: Connection, *rest: Any) -> None:
        try:
            step(worker, connection, *rest)
        except Exception:  # whatever a stranger found; gunicorn's loop would end with it
            worker.log.exception("Connection lost by a fault in %s", step.__name__)
            worker.drop(connection)

    return guarded
