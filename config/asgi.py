"""What gunicorn serves as the waiter: held requests and streams; config/waiter.py has its settings.

It never signs anybody in and writes nothing but when a key was last used.
"""

from __future__ import annotations

import gc
import os

from django.core.wsgi import get_wsgi_application

from common.telemetry import tracing

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
tracing.instrument("django", "psycopg")  # before Django reads its list of middleware
django = get_wsgi_application()

from django.http import HttpRequest, HttpResponse
from django.urls import resolve

from common.checks import refuse_to_start
from common.telemetry.metrics import Scrape
from common.web import room
from generation.checks import log_emulation
from monitoring import endpoint
from webhooks.waiter.application import COUNTS, Waiter
from webhooks.waiter.first import FirstAnswers
from webhooks.waiter.hub import MOST, Hub

refuse_to_start(signs=True)  # links of outputs
log_emulation()
resolve("/livez")  # loads the URLs before the first request
scrape = Scrape()  # of what is counted here; the gauges of the database are web's


def counts(request: HttpRequest) -> HttpResponse:
    """Nobody forks: it answers for itself."""
    return endpoint.answer(request, lambda: scrape)


gc.collect()
gc.freeze()
application = Waiter(
    Hub(min(MOST, room.descriptors(MOST + room.OTHERS))),
    FirstAnswers(django.get_response, {COUNTS: counts}),
)
