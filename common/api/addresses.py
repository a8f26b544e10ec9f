"""Addresses whose path or query holds bytes that are no text.

PostgreSQL's text holds no NUL, and Django reads a query that is not UTF-8 as something else than
was sent. One place refuses both for every page. A path that is not UTF-8 needs nothing: Django
keeps its percent escapes, which name no page.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import unquote_to_bytes

from django.core.exceptions import BadRequest
from django.http import Http404, HttpRequest, HttpResponseBase, JsonResponse

from common.api import shape
from common.web.pages import is_page


class AddressMiddleware:
    """404 for such a path, as for any other that leads nowhere; 400 for such a query.

    A path of the API is left to its view, which answers NUL like any other malformed id. Where
    people look at pages the middleware raises, and Django answers with one.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return self.get_response(request)

    def process_view(self, request: HttpRequest, *_: Any) -> HttpResponseBase | None:
        """Django's hook, before it calls the view that the path leads to."""
        if "\0" in request.path_info and not request.path_info.startswith("/api/"):
            raise Http404
        query = request.META.get("QUERY_STRING", "").encode("latin-1")
        fault = fault_of(unquote_to_bytes(query))
        if fault is None:
            return None
        sentence = f"The query {fault}"
        if is_page(request):
            raise BadRequest(sentence)
        return JsonResponse(shape.body(sentence, "invalid_request", _details(query)), status=400)


def _details(query: bytes) -> dict[str, str]:
    """The fault of each parameter whose name is a text."""
    found = {}
    for pair in query.split(b"&"):
        name, _, value = map(unquote_to_bytes, pair.partition(b"="))
        if fault_of(name) is None and (fault := fault_of(value)) is not None:
            found[name.decode()] = f"{fault[0].upper()}{fault[1:]}"
    return found


def fault_of(sent: bytes) -> str | None:
    """The end of a sentence that says why the bytes are no text; None when they are one."""
    if b"\0" in sent:
        return "contains a NUL character"
    try:
        sent.decode("utf-8")
    except UnicodeDecodeError:
        return "is not valid UTF-8"
    return None
