"""What gunicorn reads by itself from the folder it starts in; its command line wins."""

from __future__ import annotations

from typing import Any

from common import tracing

# Its own lines look like ours, also while the application is not loaded yet.
logger_class = "config.gunicorn_logger.GunicornLogger"


def post_fork(server: Any, worker: Any) -> None:
    """Traces are sent by a thread, and a fork leaves threads behind."""
    tracing.start()
