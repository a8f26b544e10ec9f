"""What a Celery worker and beat do at their start. Only a worker imports the tasks.

Celery forks and watches the worker processes, hands a wake-up to a free one, and ticks. It keeps no
work: the rows are the queue. So there are no results, acknowledgements, retries, ETAs, events or
remote control here, and every message may be lost.
"""

from __future__ import annotations

import logging.config
from importlib import import_module
from typing import Any

from celery.signals import (
    beat_init,
    celeryd_after_setup,
    setup_logging,
    worker_init,
    worker_process_init,
    worker_process_shutdown,
)
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from common.checks import check_signing_key, refuse_to_start
from common.telemetry import tracing
from generation.checks import log_emulation
from work.queue import app

__all__ = ["app"]

app.conf.imports = ("monitoring.workers",)  # by Celery, after the folder of the counts is taken


@setup_logging.connect
def keep_to_our_logging(**_: Any) -> None:
    """LOG_LEVEL decides; Celery would set another level and add handlers that redact nothing."""
    logging.config.dictConfig(settings.LOGGING)


@worker_init.connect
@beat_init.connect
def check_settings(**_: Any) -> None:
    """End the process when its settings are not fit for customers."""
    try:
        refuse_to_start()
    except ImproperlyConfigured as error:
        # Celery logs an exception of a signal's receiver and goes on; SystemExit is none to it.
        raise SystemExit(str(error)) from error
    log_emulation()


@celeryd_after_setup.connect
def import_tasks(instance: Any, **_: Any) -> None:
    """Import those of the queues that this worker reads: others would only cost it memory."""
    for queue in instance.app.amqp.queues.consume_from:
        stages = [stage for stage in settings.STAGES.values() if stage.queue == queue]
        if not stages:
            raise SystemExit(f"no tasks for the queue {queue}: config/stages.py has none")
        if any(stage.signs for stage in stages):
            for error in check_signing_key():
                raise SystemExit(f"The queue {queue} is not worked: {error.msg} {error.hint}")
        for module in sorted({stage.module for stage in stages}):
            try:
                import_module(module)
            except ImportError as error:  # which Celery would log, and go on without tasks
                raise SystemExit(f"no tasks for the queue {queue}: {error}") from error


@worker_init.connect
def instrument(**_: Any) -> None:
    """Let what a worker calls make spans, if somebody collects them."""
    tracing.instrument("psycopg", "httpx", "aiohttp")


@worker_process_init.connect
def start_tracing(**_: Any) -> None:
    """After the fork: a thread sends the spans."""
    tracing.start()


@worker_process_shutdown.connect
def stop_tracing(**_: Any) -> None:
    """A process of a worker ends without Python's own end, at which the rest would be sent."""
    tracing.stop()
