"""The Celery application. Only a worker imports the tasks; the web publishes them by name."""

from __future__ import annotations

import os
from typing import Any

from celery import Celery
from celery.signals import beat_init, worker_init
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from common.checks import refuse_to_start

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

app = Celery("reelmint", include=["generation.tasks"])
app.conf.update(settings.CELERY)


@worker_init.connect
@beat_init.connect
def check_settings(**_: Any) -> None:
    """End the process when its settings are not fit for customers."""
    try:
        refuse_to_start()
    except ImproperlyConfigured as error:
        # Celery logs an exception of a signal's receiver and goes on; SystemExit is none to it.
        raise SystemExit(str(error)) from error
