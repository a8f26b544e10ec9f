"""Requests a minute: per account with credentials, per client address without."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.conf import settings
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from accounts import rate_limit
from accounts.client_address import client_address
from accounts.models import ApiKey
from accounts.rate_limit import Decision

if TYPE_CHECKING:  # rest_framework.views imports this module
    from rest_framework.views import APIView

WINDOW = 60  # seconds
CREATES = "creates"
READS = "reads"
ANONYMOUS = "anonymous"


class AccountThrottle(BaseThrottle):
    """Counts each request of a view; a POST to one with ``throttle_scope_name = "creates"`` apart.

    The ``RateLimit`` headers go through ``view.headers``, which DRF puts on every answer of the
    view, errors included.
    """

    def allow_request(self, request: Request, view: APIView) -> bool:
        """Count the request. Raises RateLimited when there is no place left for it."""
        name, limit, who = _window(request, view)
        decision = rate_limit.hit(name, limit, WINDOW, who)
        view.headers.update(rate_limit_headers(name, decision))
        if not decision.allowed:
            raise rate_limit.too_many(decision)
        return True


def _window(request: Request, view: APIView) -> tuple[str, int, str]:
    """(name, requests a minute, whose)."""
    if not isinstance(request.auth, ApiKey):
        return ANONYMOUS, settings.RATE_LIMIT_ANONYMOUS, client_address(request)
    account = request.auth.account
    if request.method == "POST" and getattr(view, "throttle_scope_name", READS) == CREATES:
        own, default, name = account.creates_per_minute, settings.RATE_LIMIT_CREATES, CREATES
    else:
        own, default, name = account.reads_per_minute, settings.RATE_LIMIT_READS, READS
    return name, default if own is None else own, str(account.pk)


def rate_limit_headers(name: str, decision: Decision, window: int = WINDOW) -> dict[str, str]:
    """``RateLimit-Policy`` and ``RateLimit`` (draft-ietf-httpapi-ratelimit-headers-10)."""
    return {
        "RateLimit-Policy": f'"{name}";q={decision.limit};w={window}',
        "RateLimit": f'"{name}";r={decision.remaining};t={decision.reset_in}',
    }
