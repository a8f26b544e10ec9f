"""Pages whose own module is not there yet."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse


def soon(request: HttpRequest, **_: str) -> HttpResponse:
    raise Http404
