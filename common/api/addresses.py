"""Addresses that no page can be at: their path or query holds bytes that are no text.

PostgreSQL's text holds no NUL, and a query that is not UTF-8 is read as something else than was
sent. Both are refused here, once for every page, instead of in each filter and look-up behind it.
In a path Django keeps what is not UTF-8 as its percent escapes, which are the name of nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import unquote_to_bytes

from django.core.exceptions import BadRequest
from django.http import Http404, HttpRequest, HttpResponseBase, JsonResponse

from common.api import shape
from common.web.pages import is_for_operators


class AddressMiddleware:
    """404 for such a path, like for any other that leads nowhere; 400 for such a query.

    A path of the API is left to its view, which takes ids alone: to a client NUL is a malformed id
    like any other, with the same body and the same headers.

    Below ``/admin/`` it raises, so that Django answers with the operators' own pages.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return self.get_response(request)

    def process_view(self, request: HttpRequest, *_: Any) -> HttpResponseBase | None:
        """Django's hook: the path leads to a view, which was not called yet."""
        if "\0" in request.path_info and not request.path_info.startswith("/api/"):
            raise Http404
        query = request.META.get("QUERY_STRING", "").encode("latin-1")
        fault = fault_of(unquote_to_bytes(query))
        if fault is None:
            return None
        sentence = f"The query {fault}"
        if is_for_operators(request):
            raise BadRequest(sentence)
        return JsonResponse(shape.body(sentence, "invalid_request", _details(query)), status=400)


def _details(query: bytes) -> dict[str, str]:
    """What is wrong with each parameter whose own name is a text."""
    found = {}
    for pair in query.split(b"&"):
        name, _, value = map(unquote_to_bytes, pair.partition(b"="))
        if fault_of(name) is None and (fault := fault_of(value)) is not None:
            found[name.decode()] = f"{fault[0].upper()}{fault[1:]}"
    return found


def fault_of(sent: bytes) -> str | None:
    """What is wrong with bytes that should be a text; None when nothing is."""
    if b"\0" in sent:
        return "contains a NUL character"
    try:
        sent.decode("utf-8")
    except UnicodeDecodeError:
        return "is not valid UTF-8"
    return None
