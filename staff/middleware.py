"""Sessions, who is logged in, the second factor and messages: for the operators' pages alone.

A request of the API has its secret; these four would cost it a twentieth of its time for nothing.
"""

from __future__ import annotations

from typing import Any

from django.contrib.auth.middleware import AuthenticationMiddleware
from django.contrib.messages.middleware import MessageMiddleware
from django.contrib.sessions.middleware import SessionMiddleware
from django.http import HttpRequest
from django_otp.middleware import OTPMiddleware

from common.web.content_policy import is_for_operators


class _OnlyStaffPages:
    """Beside a middleware of Django's, which it lets see the operators' pages and nothing else."""

    def __call__(self, request: HttpRequest) -> Any:
        if is_for_operators(request):
            return super().__call__(request)  # type: ignore[misc]  # the other one's
        return self.get_response(request)  # type: ignore[attr-defined]  # the other one's


class StaffSessionMiddleware(_OnlyStaffPages, SessionMiddleware):
    """Django's, on the operators' pages."""


class StaffAuthenticationMiddleware(_OnlyStaffPages, AuthenticationMiddleware):
    """Django's, on the operators' pages."""


class StaffOTPMiddleware(_OnlyStaffPages, OTPMiddleware):  # type: ignore[misc]  # it has no types
    """django-otp's, on the operators' pages."""


class StaffMessageMiddleware(_OnlyStaffPages, MessageMiddleware):
    """Django's, on the operators' pages."""
