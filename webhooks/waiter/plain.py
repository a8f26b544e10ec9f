"""Answers that need neither a view nor the database."""

from __future__ import annotations

from django.http import JsonResponse

from common.api import shape
from common.telemetry import access_log, request_id
from common.web.caching import NEVER
from webhooks.waiter.first import Scope
from webhooks.waiter.sending import Answer


def answer(scope: Scope, status: int, began: float, route: str | None = None) -> Answer:
    """An error in the usual shape, or the 200 of a probe; also writes the access log."""
    offered = dict(scope["headers"]).get(request_id.HEADER.lower().encode("ascii"))
    identity = request_id.choose(None if offered is None else offered.decode("latin-1"))
    request_id.current.set(identity)
    response = JsonResponse({"status": "ok"}) if status == 200 else shape.shaped(status)
    response.headers[request_id.HEADER] = identity
    response.headers["Cache-Control"] = NEVER
    response.headers["X-Content-Type-Options"] = "nosniff"
    if status == 503:
        response.headers["Retry-After"] = "2"
    access_log.write(scope["method"], route, status, began)
    return Answer.of(response)
