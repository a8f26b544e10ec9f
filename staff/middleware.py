"""Django's middleware for sessions, users, second factors and messages, for the operators' pages.

A request of the API needs none of the four. They would cost it a twentieth of its time.
"""

from __future__ import annotations

from django.contrib.auth.middleware import AuthenticationMiddleware
from django.contrib.messages.middleware import MessageMiddleware
from django.contrib.sessions.middleware import SessionMiddleware
from django_otp.middleware import OTPMiddleware

from common.web.pages import only_pages

StaffSessionMiddleware = only_pages(SessionMiddleware)
StaffAuthenticationMiddleware = only_pages(AuthenticationMiddleware)
StaffOTPMiddleware = only_pages(OTPMiddleware)
StaffMessageMiddleware = only_pages(MessageMiddleware)
