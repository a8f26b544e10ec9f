"""The product's Celery application, in which looking at some generations kills the process.

POISON names a file with their ids; the crash point "poisoned" has to be armed.
"""

from __future__ import annotations

import os
from pathlib import Path

from common.crash import crash_point
from config.celery import app
from generation.backends.base import Produced, Running
from generation.backends.vertex.reader import VertexReader

__all__ = ["app"]

_poll = VertexReader.poll


async def poll(self: VertexReader, operation_name: str, place: str) -> Running | Produced:
    """In the place of ``VertexReader.poll``; the place carries the generation's id."""
    if any(name in place for name in Path(os.environ["POISON"]).read_text().split()):
        crash_point("poisoned")
    return await _poll(self, operation_name, place)


VertexReader.poll = poll  # type: ignore[method-assign]
