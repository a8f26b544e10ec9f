"""The Celery application. Only a worker imports the tasks; the web publishes them by name."""

from __future__ import annotations

import os

from celery import Celery
from django.conf import settings

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

app = Celery("reelmint", include=["generation.tasks"])
app.conf.update(settings.CELERY)
