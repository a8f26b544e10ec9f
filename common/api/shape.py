"""One shape for every error, also for those that happen outside DRF (contract, section 6)."""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any

from django.core.exceptions import PermissionDenied, RequestDataTooBig, SuspiciousOperation
from django.db import InterfaceError, OperationalError, connections
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.template.loader import render_to_string
from django.views.defaults import page_not_found
from rest_framework import exceptions
from rest_framework.response import Response

from common.errors import (
    ApiError,
    InvalidCredentials,
    InvalidRequest,
    NotAuthenticated,
    NotFound,
    PreconditionFailed,
    RateLimited,
    ServiceUnavailable,
)
from common.telemetry import request_id
from common.web.pages import is_page

logger = logging.getLogger(__name__)


# DRF's own exceptions and Django's, in the contract's words.
CODES = {
    exceptions.NotAuthenticated: NotAuthenticated.default_code,
    exceptions.AuthenticationFailed: InvalidCredentials.default_code,
    exceptions.PermissionDenied: "permission_denied",
    exceptions.NotFound: NotFound.default_code,
    exceptions.MethodNotAllowed: "method_not_allowed",
    exceptions.NotAcceptable: "not_acceptable",
    exceptions.UnsupportedMediaType: "unsupported_media_type",
    exceptions.Throttled: RateLimited.default_code,
}
KEPT_HEADERS = ("Allow", "Content-Range", "Retry-After", "WWW-Authenticate")
STATUS_CODES = {
    error.status_code: (error.default_code, error.default_detail)
    for error in (InvalidRequest, NotFound, PreconditionFailed, RateLimited, ServiceUnavailable)
} | {
    403: ("permission_denied", "You may not do this"),
    405: ("method_not_allowed", "This method is not allowed here"),
    406: ("not_acceptable", "There is no such form of this"),
    413: ("request_too_large", "The request body is too large"),
    416: ("range_not_satisfiable", "The file has no such range"),
    500: ("internal_error", "Something went wrong on our side"),
}

FOR_SERVERS = "This API is for servers: browsers may not call it from other pages (no CORS)"
AWAY = "console/away.html"  # a template that needs neither a session nor a database


def body(
    message: str,
    code: str,
    details: Mapping[str, str] | None = None,
    extra: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """The error object: ``success, error, code``, fields of ``extra``, ``details``, the id."""
    content: dict[str, Any] = {"success": False, "error": message, "code": code, **(extra or {})}
    if details:
        content["details"] = dict(details)
    content["request_id"] = request_id.current.get()
    return content


def exception_handler(error: Exception, context: dict[str, Any]) -> Response | None:
    """DRF's hook. What is not an expected error goes on to :class:`ErrorShapeMiddleware`."""
    if isinstance(error, Http404):
        error = NotFound()
    elif isinstance(error, PermissionDenied):
        error = exceptions.PermissionDenied()
    elif isinstance(error, RequestDataTooBig):
        return Response(body(STATUS_CODES[413][1], "request_too_large"), status=413)
    elif is_database_away(error):
        # the state says which: 57014 and 55P03 too slow, 57P.. or none gone (no row, no statement)
        state = getattr(error.__cause__, "sqlstate", None)
        logger.error("database away: %s (SQLSTATE %s)", type(error).__name__, state)
        connections.close_all()
        error = ServiceUnavailable()
    if not isinstance(error, exceptions.APIException):
        return None
    headers = dict(getattr(error, "headers", {}))
    if header := getattr(error, "auth_header", None):
        headers["WWW-Authenticate"] = header
    if (wait := getattr(error, "wait", None)) is not None:
        headers["Retry-After"] = str(max(1, math.ceil(wait)))
    if isinstance(error, exceptions.ValidationError):
        message, details = first_of_each(error)
        content = body(message, "invalid_request", details)
    else:
        code = getattr(error.detail, "code", "") if isinstance(error, ApiError) else ""
        content = body(
            str(error.detail),
            code or CODES.get(type(error), error.default_code),
            getattr(error, "details", None),
            getattr(error, "extra", None),
        )
    if getattr(context.get("request"), "method", "") == "OPTIONS":
        content["error"] = FOR_SERVERS
    return Response(content, status=error.status_code, headers=headers)


def is_database_away(error: BaseException) -> bool:
    """Whether the database (not the statement) was at fault: gone, restarting, too slow."""
    return isinstance(error, OperationalError | InterfaceError)


def first_of_each(error: exceptions.ValidationError) -> tuple[str, dict[str, str]]:
    """One string a field, in the serializer's field order; the first is the message."""
    if not isinstance(error.detail, dict):
        return _sentence(error.detail), {}
    details = {name: _sentence(value) for name, value in error.detail.items()}
    first = next(iter(error.detail))
    message = details[first]
    sentence = getattr(_leaf(error.detail[first]), "code", "")
    general = details.pop("non_field_errors", None)
    if general is not None:
        message = general
    elif sentence == "required":
        message = f"{_title(first)} is required"
    elif message.startswith("Must "):
        message = f"{_title(first)} m{message[1:]}"
    return message, details


def _title(field: str) -> str:
    return field.replace("_", " ").capitalize()


def _leaf(value: Any) -> Any:
    while isinstance(value, list | dict) and value:
        value = next(iter(value.values())) if isinstance(value, dict) else value[0]
    return value


def _sentence(value: Any) -> str:
    return str(_leaf(value)).rstrip(".")


def shaped(status: int, headers: Mapping[str, str] | None = None) -> JsonResponse:
    """The contract's answer for a bare status."""
    fallback = STATUS_CODES[500 if status >= HTTPStatus.INTERNAL_SERVER_ERROR else 400]
    code, message = STATUS_CODES.get(status, fallback)
    return JsonResponse(body(message, code), status=status, headers=headers)


def shaped_as(error: type[ApiError]) -> JsonResponse:
    """The answer of a view that is not DRF's."""
    return JsonResponse(body(error.default_detail, error.default_code), status=error.status_code)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponseBase:
    """Django's handler404, with DEBUG off, too. Operators get a page."""
    return page_not_found(request, exception) if is_page(request) else shaped(404)


class ErrorShapeMiddleware:
    """Shapes what DRF never saw: no such path, a crash, a refused host, a closed database."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        if response.status_code < HTTPStatus.BAD_REQUEST or is_page(request):
            return response
        if response.headers.get("Content-Type", "").startswith("application/json"):
            return response
        kept = {name: response[name] for name in KEPT_HEADERS if response.has_header(name)}
        return shaped(response.status_code, kept)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponseBase | None:
        """Django calls this for an exception that left the view."""
        if isinstance(error, Http404 | SuspiciousOperation | PermissionDenied):
            return None
        if is_database_away(error):
            connections.close_all()
            page = is_page(request)
            away = HttpResponse(render_to_string(AWAY), status=503) if page else shaped(503)
            away.headers["Retry-After"] = "2"
            return away
        if is_page(request):
            return None
        logger.error("unhandled error on %s", request.path, exc_info=error)
        return shaped(500)
