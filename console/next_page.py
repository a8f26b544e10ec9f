"""The page after a log-in or a confirmation: always a path of our own."""

from __future__ import annotations

from urllib.parse import urlsplit

from django.http import HttpRequest
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme

MAX_PATH = 2000  # characters


def of(request: HttpRequest, wanted: str) -> str:
    """``wanted`` if it is a path of our own, else the person's first account.

    Browsers drop tabs and line ends, and take a backslash for a slash. All that they could read as
    another site's address is refused.
    """
    ours = (
        wanted.startswith("/")
        and not wanted.startswith("//")
        and len(wanted) <= MAX_PATH
        and "\\" not in wanted
        and wanted.isprintable()
        and url_has_allowed_host_and_scheme(wanted, None, require_https=request.is_secure())
    )
    return wanted if ours else reverse("console:start")


def sent_from(request: HttpRequest) -> str:
    """The page of ours with the form that was sent, if the browser names it."""
    page = urlsplit(request.headers.get("Referer", ""))
    if page.netloc != request.get_host():
        return reverse("console:start")
    return page._replace(scheme="", netloc="", fragment="").geturl()
