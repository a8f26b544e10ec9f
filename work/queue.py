"""The Celery application, for processes that send wake-ups and for workers.

``config/celery.py`` says what Celery does for us, and has what a worker does at its start.
"""

from __future__ import annotations

import sys
from typing import Any

from celery import Celery
from celery.app.amqp import AMQP
from celery.loaders.app import AppLoader
from django.conf import settings
from kombu import Connection, Queue

from common import memory_privacy
from common.telemetry import metrics_folder

OPTIONS = {
    "broker_url": settings.BROKER_URL,
    "broker_connection_retry_on_startup": True,
    "broker_connection_max_retries": None,  # a worker outlives its broker, however long it is away
    # A hung Redis must never hold a process for longer than this.
    "broker_transport_options": {
        "socket_timeout": 5,
        "socket_connect_timeout": 2,
        "socket_keepalive": True,
        "health_check_interval": 25,
        "visibility_timeout": 300,
    },
    "task_ignore_result": True,
    # Never acknowledged: a wake-up may be lost, and a worker whose acknowledgement met a dying
    # Redis stayed deaf afterwards (it waited for a credit that nobody gave back).
    "task_queues": [
        Queue(name, no_ack=True)
        for name in dict.fromkeys(stage.queue for stage in settings.STAGES.values())
    ],
    "task_publish_retry": False,
    # 20 s of claiming, then a submit (60 s) may be under way; prepare has limits of its own
    "task_soft_time_limit": 150,
    "task_time_limit": 180,
    "task_default_queue": "submit",
    # Before and after each task Celery would close the connection to PostgreSQL, which then starts
    # a process for the next one. Our tasks call close_old_connections() (DATABASE_CONN_MAX_AGE).
    "CELERY_DB_REUSE_MAX": sys.maxsize,
    "worker_prefetch_multiplier": 1,
    "worker_enable_remote_control": False,
    "worker_send_task_events": False,
    "worker_hijack_root_logger": False,
    "worker_cancel_long_running_tasks_on_connection_loss": False,
    "beat_scheduler": "work.ticks:TickScheduler",
    "beat_max_loop_interval": 1,
    "timezone": "UTC",
}

RECONNECT = 1.0  # seconds between two tries


class Broker(Connection):
    """Tries once a second for as long as it takes.

    kombu's own pauses grow to 30 s and are no setting: after a minute without a broker a worker
    stayed away for another 12 s, after an hour for up to 30.
    """

    def ensure_connection(self, *args: Any, **kwargs: Any) -> Any:
        """Celery's worker calls this with what to log and the most tries."""
        pace = {"interval_start": RECONNECT, "interval_step": 0, "interval_max": RECONNECT}
        return super().ensure_connection(*args, **kwargs | pace)


class Messages(AMQP):
    Connection = Broker


class Loader(AppLoader):
    """Celery's; what it calls first of all in a worker and in beat, and nowhere else."""

    def init_worker(self) -> None:
        """Close our memory, and prepare for counting before anything that counts is loaded."""
        memory_privacy.keep_to_ourselves()
        if settings.WORKER_METRICS_PORT:
            metrics_folder.take("celery")
        super().init_worker()


app = Celery("reelmint", amqp=Messages, loader="work.queue:Loader")
app.conf.update(OPTIONS)
