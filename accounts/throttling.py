"""Requests a minute: per account with credentials, per client address without."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.conf import settings
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from accounts.arrival import SECONDS, Arrival, Window
from common.web import rate_limit
from common.web.client_address import client_address
from common.web.rate_limit import Decision

if TYPE_CHECKING:  # rest_framework.views imports this module
    from rest_framework.views import APIView

ANONYMOUS = "anonymous"


class AccountThrottle(BaseThrottle):
    """Refuses a request for which its window has no place. Those without credentials count here.

    The ``RateLimit`` headers go through ``view.headers``, which DRF puts on every answer of the
    view, errors included.
    """

    def allow_request(self, request: Request, view: APIView) -> bool:
        if isinstance(request.auth, Arrival):
            window, decision = request.auth.window, request.auth.decision
        else:
            window = Window(ANONYMOUS, settings.RATE_LIMIT_ANONYMOUS, client_address(request))
            decision = window.hit()
        view.headers.update(rate_limit_headers(window.name, decision))
        if not decision.allowed:
            raise rate_limit.too_many(decision)
        return True


def rate_limit_headers(name: str, decision: Decision) -> dict[str, str]:
    """``RateLimit-Policy`` and ``RateLimit``, by draft-ietf-httpapi-ratelimit-headers-10."""
    return {
        "RateLimit-Policy": f'"{name}";q={decision.limit};w={SECONDS}',
        "RateLimit": f'"{name}";r={decision.remaining};t={decision.reset_in}',
    }
