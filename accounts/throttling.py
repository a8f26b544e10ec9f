"""Requests a minute: per account with credentials, per client address without."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

from django.conf import settings
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from accounts.models import ApiKey
from common.web import rate_limit
from common.web.client_address import client_address
from common.web.rate_limit import Decision

if TYPE_CHECKING:  # rest_framework.views imports this module
    from rest_framework.views import APIView

WINDOW = 60  # seconds
CREATES = "creates"
READS = "reads"
ANONYMOUS = "anonymous"
MANY_SECRETS = 10_000


class Window(NamedTuple):
    """Its name, how many requests a minute it lets through, and whose it is."""

    name: str
    limit: int
    who: str


# Where a secret's requests counted last, by the name of the window and the secret's digest.
_last_seen: dict[tuple[str, bytes], Window] = {}


class AccountThrottle(BaseThrottle):
    """Counts each request of a view; a POST to one with ``throttle_scope_name = "creates"`` apart.

    The ``RateLimit`` headers go through ``view.headers``, which DRF puts on every answer of the
    view, errors included.
    """

    def allow_request(self, request: Request, view: APIView) -> bool:
        """Count the request. Raises RateLimited when there is no place left for it."""
        window = _window(request, view)
        counted, decision = getattr(view, "counted", (None, None))  # by counting(), below
        if decision is None or counted != window:
            decision = rate_limit.hit(window.name, window.limit, WINDOW, window.who)
        view.headers.update(rate_limit_headers(window.name, decision))
        if not decision.allowed:
            raise rate_limit.too_many(decision)
        return True


@contextlib.contextmanager
def counting(request: Request, digest: bytes) -> Iterator[None]:
    """Let Redis count the request while the database looks for its secret, of this ``digest``.

    A request waits once then, not twice; and each wait costs it more than the answer costs others.
    It is a guess at whose window it is, from the last time. Where the account's limit has changed
    since, the throttle counts again. Where the secret has ended since, its account is charged with
    one request too many in this process, and ``forget`` makes it the only one.
    """
    view: Any = (request.parser_context or {}).get("view")
    window = _last_seen.get((_scope(request, view), digest))
    if window is None or AccountThrottle not in view.throttle_classes:
        yield
        return
    answer = rate_limit.ask(window.name, window.limit, WINDOW, window.who)
    try:
        yield
    finally:
        view.counted = window, answer()


def remember(request: Request, digest: bytes, api_key: ApiKey) -> None:
    """Where the next request like this one will be counted, most likely."""
    if len(_last_seen) >= MANY_SECRETS:
        _last_seen.clear()
    name = _scope(request, (request.parser_context or {}).get("view"))
    _last_seen[name, digest] = _window_of(api_key, name)


def forget(digest: bytes) -> None:
    """The secret has ended: nobody's window is to suffer from it."""
    for name in (CREATES, READS):
        _last_seen.pop((name, digest), None)


def _window(request: Request, view: APIView) -> Window:
    if not isinstance(request.auth, ApiKey):
        return Window(ANONYMOUS, settings.RATE_LIMIT_ANONYMOUS, client_address(request))
    return _window_of(request.auth, _scope(request, view))


def _window_of(api_key: ApiKey, name: str) -> Window:
    account = api_key.account
    if name == CREATES:
        own, default = account.creates_per_minute, settings.RATE_LIMIT_CREATES
    else:
        own, default = account.reads_per_minute, settings.RATE_LIMIT_READS
    return Window(name, default if own is None else own, str(account.pk))


def _scope(request: Request, view: APIView | None) -> str:
    creates = request.method == "POST" and getattr(view, "throttle_scope_name", READS) == CREATES
    return CREATES if creates else READS


def rate_limit_headers(name: str, decision: Decision, window: int = WINDOW) -> dict[str, str]:
    """``RateLimit-Policy`` and ``RateLimit``, by draft-ietf-httpapi-ratelimit-headers-10."""
    return {
        "RateLimit-Policy": f'"{name}";q={decision.limit};w={window}',
        "RateLimit": f'"{name}";r={decision.remaining};t={decision.reset_in}',
    }
