"""Content negotiation."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from rest_framework.exceptions import NotAcceptable
from rest_framework.negotiation import BaseContentNegotiation, DefaultContentNegotiation
from rest_framework.parsers import BaseParser
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request


class AnyAccept(BaseContentNegotiation):
    """For answers that are files: ``Accept`` is ignored, and errors are JSON."""

    def select_parser(self, request: Request, parsers: Iterable[BaseParser]) -> BaseParser | None:
        return next(iter(parsers), None)

    def select_renderer(
        self, request: Request, renderers: Iterable[BaseRenderer], format_suffix: Any = None
    ) -> tuple[BaseRenderer, str]:
        renderer = next(iter(renderers))
        return renderer, renderer.media_type


class JsonOnly(DefaultContentNegotiation):
    """For answers that are JSON: a client that takes it, or anything, needs no comparing."""

    PLAIN = {"*/*", "application/json", ""}
    LONGEST = 1000  # characters

    def get_accept_list(self, request: Request) -> list[str]:
        """DRF's hook. An empty header is like none, and empty members do not count."""
        header: str = request.META.get("HTTP_ACCEPT", "")
        return [each.strip() for each in header.split(",") if each.strip()] or ["*/*"]

    def select_renderer(
        self, request: Request, renderers: Iterable[BaseRenderer], format_suffix: Any = None
    ) -> tuple[BaseRenderer, str]:
        """DRF's hook. Raises NotAcceptable.

        A header of more than ``LONGEST`` characters is ignored, as RFC 9110, section 12.5.1,
        allows: repeated, it may have some 100 kB.
        """
        only, *others = renderers
        if len(request.META.get("HTTP_ACCEPT", "")) > self.LONGEST:
            return only, only.media_type
        if not others and request.META.get("HTTP_ACCEPT", "*/*").strip() in self.PLAIN:
            return only, only.media_type
        try:
            chosen: tuple[BaseRenderer, str] = super().select_renderer(
                request, [only, *others], format_suffix
            )
        except TypeError as error:  # Python's parser: parameters like ``x*=a; x*0=b``
            raise NotAcceptable(available_renderers=[only, *others]) from error
        return chosen
