"""``/api/…`` answers with and without the closing slash, and never redirects (contract, top).

So do the probes, whose askers follow no redirect. Operators' pages redirect: staff/site.py.
"""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponseBase

PROBES = frozenset({"/livez/", "/readyz/"})


class OptionalSlashMiddleware:
    """Adds or takes the slash in place: a redirected POST would arrive without its body."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if request.path_info.startswith("/api/") and not request.path_info.endswith("/"):
            request.path_info += "/"
            request.path += "/"
        elif request.path_info in PROBES:
            request.path_info = request.path_info.removesuffix("/")
            request.path = request.path.removesuffix("/")
        return self.get_response(request)
