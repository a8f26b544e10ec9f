"""The start and end of ``/metrics`` with a worker or with beat.

Celery imports it (``config/celery.py``) after the folder of the counts is taken.
"""

from __future__ import annotations

from typing import Any

from celery.signals import (
    beat_init,
    worker_process_init,
    worker_process_shutdown,
    worker_ready,
)

from common.telemetry import metrics, metrics_folder
from monitoring import server


@worker_ready.connect
def serve_metrics(**_: Any) -> None:
    """Start in the main process, after the processes that work were forked."""
    server.start()


@beat_init.connect
def serve_metrics_of_beat(**_: Any) -> None:
    """Start, unless beat runs inside a worker, which answers for both."""
    if metrics_folder.is_own():
        server.start()


@worker_process_init.connect
def begin_process(**_: Any) -> None:
    """Close the socket that a later process has inherited from the main one."""
    server.close_inherited()


@worker_process_shutdown.connect
def end_process(pid: int, **_: Any) -> None:
    """Keep what the ended process counted."""
    metrics.process_ended(pid)
