"""Django's system checks of what needs mails; config/mail.py refuses contradictions.

All but one are for processes that serve customers: of the others only the worker of mails knows
EMAIL_URL.
"""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core import checks
from django.core.checks import CheckMessage, Error, Tags, register
from django.core.mail import get_connection

from common.checks import SIGNS, START
from common.surviving import surviving
from mail import mode
from mail.server import SMTP


def check_purchases(**_: Any) -> list[CheckMessage]:
    """Buying needs an address that is verified, and verifying a mail."""
    key = settings.STRIPE_SECRET_KEY
    if key and not mode.can_send():
        return [
            Error(
                "STRIPE_SECRET_KEY is set and EMAIL_URL is not: nobody could verify an address, "
                "which buying needs.",
                hint="Set EMAIL_URL, or unset STRIPE_SECRET_KEY.",
                id="reelmint.E033",
            )
        ]
    if "_live_" in key[:8] and mode.is_emulated():
        return [
            Error(
                "STRIPE_SECRET_KEY is a live key, and everybody can read all mails at /mailbox/.",
                hint="Set EMAIL_URL, or use a key of Stripe's test mode.",
                id="reelmint.E034",
            )
        ]
    return []


def check_sign_up(**_: Any) -> list[CheckMessage]:
    """People who sign up on the pages are sent a code."""
    if not settings.REGISTRATION_OPEN or mode.can_send():
        return []
    return [
        checks.Warning(
            "EMAIL_URL is not set: nobody can join by the pages, for want of a code.",
            hint="Set EMAIL_URL, or REGISTRATION_OPEN=0.",
            id="reelmint.W035",
        )
    ]


def check_backend(**_: Any) -> list[CheckMessage]:
    """A provider's backend is made once: it says which of its settings are missing."""
    server = settings.MAIL_SERVER
    if server is None or server.backend == SMTP:
        return []
    problems: list[str] = []
    with surviving(lambda error: problems.append(type(error).__name__)):
        get_connection(server.backend, **server.options)
    if not problems:
        return []
    return [
        Error(
            f"EMAIL_URL is {server.place}, which cannot be used ({problems[0]}).",
            hint='Install the extra "mail" (django-anymail), and see its page of this provider '
            "for the name and the settings.",
            id="reelmint.E036",
        )
    ]


def register_all() -> None:
    """Register all but the last for ``--deploy`` alone: ``migrate`` needs no mail."""
    register(check_purchases, Tags.security, SIGNS, deploy=True)
    register(check_sign_up, Tags.security, SIGNS, deploy=True)
    register(check_backend, Tags.security, START)
