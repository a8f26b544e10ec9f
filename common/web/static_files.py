"""Static files, as WhiteNoise serves them, but always whole."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponseBase
from whitenoise.middleware import WhiteNoiseMiddleware


class StaticFilesMiddleware(WhiteNoiseMiddleware):  # type: ignore[misc]  # it is not annotated
    """Ignores Range, as a server may (RFC 9110, section 14.2).

    WhiteNoise's part of a file is no file to the web server: a thread would read it into memory and
    wait for the client to take it.
    """

    @staticmethod
    def serve(static_file: Any, request: HttpRequest) -> HttpResponseBase:
        request.META.pop("HTTP_RANGE", None)
        response: HttpResponseBase = WhiteNoiseMiddleware.serve(static_file, request)
        return response
