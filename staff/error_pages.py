"""What operators see where they may not go, and where nothing is."""

from __future__ import annotations

from http import HTTPStatus

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.views.defaults import permission_denied

from common import errors
from common.content_policy import ADMIN
from staff.site import site


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponseBase:
    """Django's handler403."""
    if not request.path_info.startswith(ADMIN):
        return permission_denied(request, exception)
    sentence = "Your role does not allow this. A superuser can give you another one."
    return _page(request, HTTPStatus.FORBIDDEN, "You may not do this", sentence)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponseBase:
    """Django's handler404, also with DEBUG off."""
    if not request.path_info.startswith(ADMIN):
        return errors.not_found(request, exception)
    sentence = "There is no such page, or what it showed is gone."
    return _page(request, HTTPStatus.NOT_FOUND, "Not found", sentence)


def _page(request: HttpRequest, status: HTTPStatus, title: str, sentence: str) -> HttpResponse:
    request.current_app = site.name
    context = site.each_context(request) | {"title": title, "sentence": sentence}
    return render(request, "admin/error.html", context, status=status)
