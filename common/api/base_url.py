"""The scheme and host that links begin with."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest
from rest_framework.request import Request


def base_url(request: Request | HttpRequest) -> str:
    """``PUBLIC_BASE_URL``, else the request's own; without a closing slash."""
    return settings.PUBLIC_BASE_URL or request.build_absolute_uri("/").rstrip("/")
