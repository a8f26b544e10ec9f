"""``GET /metrics`` of the web: the counts of its processes, and the gauges.

A middleware, and not a line in config/urls.py: Prometheus asks a container by its address, and
later middleware would refuse that ``Host``.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

from django.http import HttpRequest, HttpResponse, HttpResponseBase

from common.telemetry.metrics import CONTENT_TYPE, Scrape
from common.web.client_address import direct_address
from monitoring.access import may_read
from monitoring.gauges import GenerationGauges

PATH = "/metrics"
PLAIN = "text/plain; charset=utf-8"


class ScrapeMiddleware:
    """Answers ``/metrics`` if ``may_read()`` allows it, and passes on all other requests."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if request.path_info.rstrip("/") != PATH:
            return self.get_response(request)
        return answer(request, _scrape)


def answer(request: HttpRequest, scrape: Callable[[], Scrape]) -> HttpResponse:
    """The counts, to whoever may read them."""
    authorization = request.headers.get("Authorization", "")
    if not may_read(authorization, direct_address(request)):
        return HttpResponse("forbidden\n", PLAIN, 403)
    if request.method != "GET":
        return HttpResponse("GET only\n", PLAIN, 405, headers={"Allow": "GET"})
    return HttpResponse(scrape().text(), CONTENT_TYPE)


@cache
def _scrape() -> Scrape:
    return Scrape(GenerationGauges())
