"""Which paths answer with pages and which in JSON; said once, by the setting PAGES."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpRequest

ADMIN = "/admin/"


def is_page(request: HttpRequest) -> bool:
    """Whether it is answered with a page or a file for one, not in the API's JSON."""
    return f"{request.path_info}/".startswith(settings.PAGES)


def is_for_operators(request: HttpRequest) -> bool:
    """Whether a person asks for one of the operators' pages."""
    return f"{request.path_info}/".startswith(ADMIN)


def only_pages(middleware: type[Any]) -> type[Any]:
    """``middleware``, which then sees the operators' pages and nothing else.

    A class again: Django's checks look for its own classes among the middleware.
    """

    def call(self: Any, request: HttpRequest) -> Any:
        if is_for_operators(request):
            return middleware.__call__(self, request)
        return self.get_response(request)

    return type(f"{middleware.__name__}OfPages", (middleware,), {"__call__": call})
