"""Every request has an id: the caller's own when it is a sane one, else a new one."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable
from contextvars import ContextVar

from django.http import HttpRequest, HttpResponseBase

from common.telemetry.redaction import redact

HEADER = "X-Request-ID"
SANE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{7,99}")

current: ContextVar[str] = ContextVar("request_id", default="")


def choose(offered: str | None) -> str:
    """``offered`` if it is 8 to 100 letters, digits, dots, dashes or underscores, else a new id.

    A secret of ours that somebody sent in its place is none: it would be logged and stored.
    """
    if offered and SANE.fullmatch(offered) and redact(offered) == offered:
        return offered
    return uuid.uuid4().hex


class RequestIdMiddleware:
    """Puts the id into the context for errors and logs, and into the answer's header."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        request_id = choose(request.headers.get(HEADER))
        token = current.set(request_id)
        try:
            response = self.get_response(request)
        finally:
            current.reset(token)
        response.headers[HEADER] = request_id
        return response
