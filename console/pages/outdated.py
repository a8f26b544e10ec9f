"""A form with an old token: its page is older than a log-in in another tab.

The form does nothing. What was typed on Create is shown again with a valid token, if the form was
sent from a page of ours by a person who may see that account.
"""

from __future__ import annotations

from http import HTTPStatus

from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse

from console import access, error_pages, kept
from console.pages import create
from console.sessions import SessionStore


def show(request: HttpRequest) -> HttpResponse:
    try:
        shown = _typed(request)
    except DatabaseError:  # no view: the middleware does not keep the session from being read again
        request.session, shown = SessionStore(), None
    return shown or error_pages.not_from_here(request)


def _typed(request: HttpRequest) -> HttpResponse | None:
    if request.headers.get("Origin") != f"{request.scheme}://{request.get_host()}":
        return None
    text = kept.in_request(request)
    typed = kept.read(text)
    if typed is None:
        return None
    if (part := kept.as_a_page(request)) is not None:
        return part
    if not request.user.is_authenticated:
        return kept.with_log_in(request, text)
    account = access.account_of(request, str(typed[kept.ACCOUNT]))
    if account is None:
        return None
    return create.as_typed(request, account, typed, HTTPStatus.FORBIDDEN)
