"""What gunicorn serves."""

from __future__ import annotations

import gc
import os

from django.core.wsgi import get_wsgi_application
from django.urls import resolve

from common.checks import refuse_to_start
from common.telemetry import tracing
from common.web.body_limit import FORMS, LIMIT, BodyLimit
from generation.checks import log_emulation

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

tracing.instrument("django", "psycopg")  # before Django reads its list of middleware
django_application = get_wsgi_application()
refuse_to_start(signs=True)
log_emulation()
# Loads the URLs before the fork: else every new process spends 0.3 s of its first request on it.
resolve("/livez")
# What is loaded stays: no collection of a request's garbage goes through it, nor writes to it in a
# forked process, which would copy its pages.
gc.collect()
gc.freeze()
application = BodyLimit(django_application, LIMIT, less=FORMS)
