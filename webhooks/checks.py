"""Django's system checks of webhooks: settings that must not reach production by accident."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, register

from common.checks import START, in_production


def check_receivers(**_: Any) -> list[CheckMessage]:
    """Webhooks are signed, not encrypted: they need TLS, and must never go into our own network."""
    found: list[CheckMessage] = []
    if settings.WEBHOOK_ALLOW_HTTP and not settings.DEBUG:
        found.append(
            Error(
                "WEBHOOK_ALLOW_HTTP lets webhooks travel in the open.",
                hint="Unset it: it is for trying the service out, with DEBUG.",
                id="reelmint.E038",
            )
        )
    if settings.WEBHOOK_ALLOWED_ORIGINS and in_production():
        found.append(
            Error(
                "WEBHOOK_ALLOWED_ORIGINS lets webhooks reach private addresses.",
                hint="Unset it: it is for trying the service out, on one machine.",
                id="reelmint.E039",
            )
        )
    return found


def register_all() -> None:
    """Register it for ``manage.py check`` and for every start."""
    register(check_receivers, Tags.security, START)
