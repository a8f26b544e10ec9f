"""Which paths answer in JSON (the setting API_PATHS), and whom the pages of all others are for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.http import HttpRequest

ADMIN = "/admin/"
FILES = ("/static/", "/favicon.ico/")


def is_page(request: HttpRequest) -> bool:
    """Whether it is answered with a page or a file for one, not in the API's JSON."""
    return not f"{request.path_info}/".startswith(settings.API_PATHS)


def is_for_operators(request: HttpRequest) -> bool:
    """Whether a person asks for one of the operators' pages."""
    return f"{request.path_info}/".startswith(ADMIN)


def is_for_customers(request: HttpRequest) -> bool:
    """Whether a person asks for one of the console's pages, also for one that does not exist."""
    path = f"{request.path_info}/"
    return not path.startswith((*settings.API_PATHS, ADMIN, *FILES))


def only_where(is_theirs: Callable[[HttpRequest], bool], middleware: type[Any]) -> type[Any]:
    """``middleware``, limited to the requests for which ``is_theirs`` is true.

    The result is a class, because Django's checks look for its own classes.
    """

    def call(self: Any, request: HttpRequest) -> Any:
        if is_theirs(request):
            return middleware.__call__(self, request)
        return self.get_response(request)

    return type(f"{middleware.__name__}OfPages", (middleware,), {"__call__": call})
