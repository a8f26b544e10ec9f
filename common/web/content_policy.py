"""What a browser may load on our pages."""

from __future__ import annotations

from collections.abc import Callable

from csp.constants import HEADER
from csp.utils import build_policy
from django.conf import settings
from django.http import HttpRequest, HttpResponseBase

from common.web.pages import is_for_customers, is_for_operators


class ContentPolicyMiddleware:
    """The strict policy of the settings; operators' and customers' pages have their own.

    django-csp's own middleware writes them anew for each answer (60 µs), for nonces we do not use.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response
        self._strict = build_policy()
        self._admin = build_policy(config=settings.ADMIN_CONTENT_SECURITY_POLICY)
        self._console = build_policy(config=settings.CONSOLE_CONTENT_SECURITY_POLICY)

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        response.headers.setdefault(HEADER, self._policy(request))
        return response

    def _policy(self, request: HttpRequest) -> str:
        if is_for_operators(request):
            return self._admin
        return self._console if is_for_customers(request) else self._strict
