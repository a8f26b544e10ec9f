"""The count of requests. Only the scrape stands further out, so that every answer is counted."""

from __future__ import annotations

from collections.abc import Callable
from time import perf_counter

from django.conf import settings
from django.http import HttpRequest, HttpResponseBase

from common.telemetry.metrics import Counter, Gauge, Histogram

REQUESTS = Counter(
    "reelmint_http_requests",
    "Requests by the name of their route, method and status.",
    ["route", "method", "status"],
)
REQUEST_SECONDS = Histogram(
    "reelmint_http_request_duration_seconds",
    "Seconds from the first middleware until the answer was made.",
    ["route", "method"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)

IN_PROGRESS = Gauge(
    "reelmint_http_requests_in_progress",
    "Requests that are being answered at this moment.",
    multiprocess_mode="livesum",  # of the processes that live
)

OTHER = "OTHER"  # a client may invent any method
METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", OTHER}

Count = Callable[[], None]
Observe = Callable[[float], None]

# Looking a child up by its labels costs more than counting. The combinations of route, method and
# status are few.
_resolved: dict[tuple[str, str, int], tuple[Count, Observe]] = {}


class RequestMetricsMiddleware:
    """Costs a few microseconds a request, see tests/monitoring/test_request_metrics.py."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        began = perf_counter()
        IN_PROGRESS.inc()
        response = self.get_response(request)
        IN_PROGRESS.dec()
        key = (route(request), request.method or "", response.status_code)
        found = _resolved.get(key)
        if found is None:
            found = _resolve(*key)
        count, observe = found
        count()
        observe(perf_counter() - began)
        return response


def route(request: HttpRequest) -> str:
    """The route's name, never the path: ``generation``, ``admin``, ``static`` or ``none``."""
    match = request.resolver_match
    if match is None:
        is_file = request.path_info.startswith(f"/{settings.STATIC_URL.lstrip('/')}")
        return "static" if is_file else "none"
    if match.namespaces:
        return match.namespaces[0]
    return match.url_name or match.route or "root"


def _resolve(name: str, method: str, status: int) -> tuple[Count, Observe]:
    if method not in METHODS:
        return _resolve(name, OTHER, status)
    labels = (name, method)
    found = (REQUESTS.labels(*labels, str(status)).inc, REQUEST_SECONDS.labels(*labels).observe)
    _resolved[name, method, status] = found
    return found
