"""Django's error handlers: operators and customers get pages, programs the API's JSON."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponseBase
from django.views import csrf, defaults

from common.api import shape
from common.web.pages import is_for_customers, is_for_operators, is_page
from console import error_pages as customers
from console.pages import outdated
from staff import error_pages as operators


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponseBase:
    if is_for_customers(request):
        return customers.bad_request(request, exception)
    return operators.bad_request(request, exception)


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponseBase:
    if is_for_customers(request):
        return customers.forbidden(request, exception)
    return operators.forbidden(request, exception)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponseBase:
    if is_for_customers(request):
        return customers.not_found(request, exception)
    return operators.not_found(request, exception)


def server_error(request: HttpRequest) -> HttpResponseBase:
    if is_for_customers(request):
        return customers.server_error(request)
    return defaults.server_error(request) if is_page(request) else shape.shaped(500)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponseBase:
    if is_for_operators(request):
        return csrf.csrf_failure(request, reason)
    return outdated.show(request)
