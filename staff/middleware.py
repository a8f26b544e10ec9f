"""Django's middleware for sessions, users, second factors and messages, for the operators' pages.

A request of the API needs none of the four. They would cost it a twentieth of its time.
"""

from __future__ import annotations

from django.contrib.auth.middleware import AuthenticationMiddleware
from django.contrib.messages.middleware import MessageMiddleware
from django.contrib.sessions.middleware import SessionMiddleware
from django_otp.middleware import OTPMiddleware

from common.web.pages import is_for_operators, only_where

StaffSessionMiddleware = only_where(is_for_operators, SessionMiddleware)
StaffAuthenticationMiddleware = only_where(is_for_operators, AuthenticationMiddleware)
StaffOTPMiddleware = only_where(is_for_operators, OTPMiddleware)
StaffMessageMiddleware = only_where(is_for_operators, MessageMiddleware)
