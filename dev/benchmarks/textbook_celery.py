"""The textbook's Celery application, with what everybody sets who cannot lose a task."""

from __future__ import annotations

import os

from celery import Celery

from config.env import celery_broker_url
from dev.benchmarks.textbook_settings import SCHEMA

app = Celery(
    SCHEMA,
    broker=celery_broker_url(os.environ["REDIS_URL"]),
    include=[f"{__package__}.textbook_tasks"],
)
app.conf.update(
    task_acks_late=True,
    task_default_queue=SCHEMA,
    task_ignore_result=True,
    broker_connection_retry_on_startup=True,
)
