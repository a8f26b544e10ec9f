"""``/metrics`` of workers and of beat: started and ended with them.

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
    """In the main process, once those that work have been forked."""
    server.start()


@beat_init.connect
def serve_metrics_of_beat(**_: Any) -> None:
    """Not where beat runs inside a worker, which answers for both."""
    if metrics_folder.is_own():
        server.start()


@worker_process_init.connect
def begin_process(**_: Any) -> None:
    """One that replaces another has inherited the main process's socket."""
    server.close_inherited()


@worker_process_shutdown.connect
def end_process(pid: int, **_: Any) -> None:
    """What this process counted stays."""
    metrics.forget_process(pid)
