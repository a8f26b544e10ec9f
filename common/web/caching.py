"""What caches may keep: nothing of API and console, unless a view says otherwise.

An answer to ``Authorization`` is no shared cache's to keep (RFC 9111, section 3.5), but one to
``X-API-Key`` is, and some statuses without any header (404, 410) may be kept for a while.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponseBase
from django.utils.cache import patch_vary_headers

from common.web.pages import is_for_customers

NEVER = "private, no-store"
SECRETS = ("Authorization", "X-API-Key")
WITHOUT_LENGTH = (204, 304)  # RFC 9110, section 8.6


class CachingMiddleware:
    """Stands above all that may answer, errors included."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        if f"{request.path_info}/".startswith(("/api/", "/media/")):
            response.headers.setdefault("Cache-Control", NEVER)
            if "public" not in response.headers["Cache-Control"]:
                patch_vary_headers(response, SECRETS)
        elif is_for_customers(request):
            response.headers.setdefault("Cache-Control", NEVER)
        if response.status_code in WITHOUT_LENGTH:
            response.headers.pop("Content-Length", None)  # CommonMiddleware says 0
        return response


def public(view: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
    """A view whose good answers are the same for everybody until the next release."""

    @functools.wraps(view)
    def answer(*args: Any, **options: Any) -> HttpResponseBase:
        response = view(*args, **options)
        if response.status_code == 200:
            response.headers["Cache-Control"] = "public, max-age=60"
        return response

    return answer
