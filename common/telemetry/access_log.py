"""One line for each request: what was asked for by whom, and what became of it.

django-structlog's middleware writes two, with the path and its query. This one names the route, so
that a secret in a path reaches no log. It takes the account from what the request was
authenticated with, and asks the database for nothing.
"""

from __future__ import annotations

import logging
import time
import uuid
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any

from django.http import HttpRequest, HttpResponseBase

logger = logging.getLogger("access")

# Asked for every few seconds by machines; told at DEBUG alone.
PROBES = {"livez", "readyz", "metrics"}

_noted: ContextVar[dict[str, Any] | None] = ContextVar("access_log", default=None)


def add_fields(**fields: Any) -> None:
    """Add ``fields`` (of log_lines.py) to the line of the request that is being answered."""
    if (noted := _noted.get()) is not None:
        noted |= fields


def write(method: str | None, route: str | None, status: int, began: float, **fields: Any) -> None:
    """The line; ``began`` is of ``time.perf_counter``. An error of ours is one of the log, too."""
    level = logging.ERROR if status >= 500 else logging.INFO
    if route in PROBES and level == logging.INFO:
        level = logging.DEBUG
    if logger.isEnabledFor(level):
        took = round((time.perf_counter() - began) * 1000, 1)
        line = {"method": method, "route": route, "status": status, "duration_ms": took, **fields}
        logger.log(level, "request", extra=line)


class AccessLogMiddleware:
    """Stands right below the request's id, above all that may answer."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        began = time.perf_counter()
        noted: dict[str, Any] = {}
        token = _noted.set(noted)
        try:
            response = self.get_response(request)
        finally:
            _noted.reset(token)
        # DRF leaves its `auth` on Django's request: an Arrival, or None
        if (account_id := getattr(getattr(request, "auth", None), "account_id", None)) is not None:
            noted["account_id"] = account_id
        match = request.resolver_match
        for name in ("generation_id", "payment_id"):
            if match is not None and is_uuid(value := match.kwargs.get(name)):
                noted[name] = value
        route = match.route if match is not None else None
        write(request.method, route, response.status_code, began, **noted)
        return response


def is_uuid(text: object) -> bool:
    """Whether ``text`` is an id and not what somebody put in its place."""
    try:
        return isinstance(text, str) and str(uuid.UUID(text)) == text.lower()
    except ValueError:
        return False
