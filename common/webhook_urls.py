"""Which URLs are taken for webhooks, as far as their text says; nothing is asked.

A probe would make a scanner of us. What counts is decided at every attempt, at the socket.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from django.conf import settings

from common.browser_url import browser_url
from common.fetchable import MAX_URL_LENGTH as MAX_LENGTH
from common.fetchable import Taken, check_url, origin_of

__all__ = ["MAX_LENGTH", "check", "taken"]

_TLS = {"https": frozenset({443, 8443})}
_HTTPS, _HTTP_TOO = Taken(_TLS), Taken({"http": frozenset({80}), **_TLS})


def taken() -> Taken:
    """Plain http is for trying out only."""
    return _HTTP_TOO if settings.WEBHOOK_ALLOW_HTTP else _HTTPS


def check(url: str) -> str | None:
    """What is wrong with it, such as "Must be an https URL", or None."""
    fault = check_url(url, settings.WEBHOOK_ALLOWED_ORIGINS, taken()) or _leads_back(url)
    return fault and f"{fault[0].upper()}{fault[1:]}"


def _leads_back(url: str) -> str | None:
    asked = browser_url(url)
    if origin_of(asked) in settings.WEBHOOK_ALLOWED_ORIGINS:
        return None
    ours = {urlsplit(settings.PUBLIC_BASE_URL).hostname, *settings.ALLOWED_HOSTS}
    leads_back = (asked.raw_host or "").rstrip(".") in ours
    return "must not lead to this service" if leads_back else None
