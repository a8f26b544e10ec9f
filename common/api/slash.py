"""API and console answer with and without the closing slash, and never redirect (contract, top).

So do the probes, whose askers follow no redirect. Operators' pages redirect: staff/site.py.
"""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponseBase

from common.web.pages import is_for_customers

PROBES = frozenset({"/livez/", "/readyz/"})


class OptionalSlashMiddleware:
    """Adds or takes the slash in place: a redirected POST would arrive without its body."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        path = request.path_info
        if path in PROBES:
            request.path_info = path.removesuffix("/")
            request.path = request.path.removesuffix("/")
        elif not path.endswith("/") and (path.startswith("/api/") or _lacks_one(request, path)):
            request.path_info += "/"
            request.path += "/"
        return self.get_response(request)


def _lacks_one(request: HttpRequest, path: str) -> bool:
    """Whether it is a page of the console; what has a dot in its name is a file."""
    return is_for_customers(request) and "." not in path.rpartition("/")[2]
