"""The operators' error pages: 400, 403 and 404."""

from __future__ import annotations

from http import HTTPStatus

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.views import defaults

from common.api import shape
from common.web.pages import is_for_operators
from staff.site import site


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponseBase:
    if not _has_pages(request):
        return defaults.bad_request(request, exception)
    sentence = "This page cannot be asked for what stands in the address."
    return _page(request, HTTPStatus.BAD_REQUEST, "Not understood", sentence)


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponseBase:
    if not _has_pages(request):
        return defaults.permission_denied(request, exception)
    sentence = "Your role does not allow this. A superuser can give you another one."
    return _page(request, HTTPStatus.FORBIDDEN, "You may not do this", sentence)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponseBase:
    """Django's handler404, also with DEBUG off."""
    if not _has_pages(request):
        return shape.not_found(request, exception)
    sentence = "There is no such page, or what it showed is gone."
    return _page(request, HTTPStatus.NOT_FOUND, "Not found", sentence)


def _has_pages(request: HttpRequest) -> bool:
    """Whether to answer with a page: an operator is logged in, so the menu may be shown.

    A refused Host is answered before anybody is known.
    """
    user = getattr(request, "user", None)
    return is_for_operators(request) and user is not None and user.is_authenticated


def _page(request: HttpRequest, status: HTTPStatus, title: str, sentence: str) -> HttpResponse:
    request.current_app = site.name
    context = site.each_context(request) | {"title": title, "sentence": sentence}
    return render(request, "admin/error.html", context, status=status)
