"""Django's system checks of the provider: settings that must not reach production by accident."""

from __future__ import annotations

import logging
from typing import Any

from django.conf import settings
from django.core import checks
from django.core.checks import CheckMessage, Error, Tags, register

from common.checks import START, in_production
from common.google import is_google

logger = logging.getLogger(__name__)

PROVIDER_URLS = {"VERTEX_BASE_URL": "reelmint.E001", "STORAGE_BASE_URL": "reelmint.E002"}


def check_emulator(**_: Any) -> list[CheckMessage]:
    """Customers never pay for emulated videos."""
    if not in_production():
        return []
    return [
        Error(
            f"{name} is not Google's: the outputs would be emulated.",
            hint=f"Unset {name}, or set ALLOW_EMULATOR=1 where nobody pays.",
            id=number,
        )
        for name, number in PROVIDER_URLS.items()
        if not is_google(getattr(settings, name))
    ]


def check_source_images(**_: Any) -> list[CheckMessage]:
    """The rule against private addresses has no exception in production."""
    if not in_production() or not settings.SOURCE_IMAGE_ALLOWED_ORIGINS:
        return []
    return [
        Error(
            "SOURCE_IMAGE_ALLOWED_ORIGINS lets customers' URLs reach private addresses.",
            hint="Unset it: it is for trying the service out, on one machine.",
            id="reelmint.E003",
        )
    ]


def check_provider(**_: Any) -> list[CheckMessage]:
    """Without a project and a bucket every generation would fail."""
    if settings.DEBUG:
        return []
    hints = {
        "GOOGLE_CLOUD_PROJECT": ("the project that pays for Vertex AI", "reelmint.E004"),
        "OUTPUT_BUCKET": ("the bucket that the provider writes to", "reelmint.E005"),
    }
    return [
        Error(f"{name} is not set.", hint=f"It names {meaning}.", id=number)
        for name, (meaning, number) in hints.items()
        if not getattr(settings, name)
    ]


def check_time_scale(**_: Any) -> list[CheckMessage]:
    """Shortened deadlines fail generations that the provider would have finished, and paid ones."""
    if not in_production() or settings.TIME_SCALE == 1:
        return []
    return [
        checks.Warning(
            f"TIME_SCALE is {settings.TIME_SCALE}: deadlines and timeouts are not the real ones.",
            hint="Unset it: only emulated work runs on another clock.",
            id="reelmint.W006",
        )
    ]


def register_all() -> None:
    """Make them part of ``manage.py check``, some of them only of ``--deploy``."""
    register(check_emulator, Tags.security, START)
    register(check_source_images, Tags.security, START)
    register(check_provider, Tags.security, START, deploy=True)
    register(check_time_scale, Tags.security, deploy=True)


def log_emulation() -> None:
    """Say in the log that outputs are emulated, if they are."""
    if not is_google(settings.VERTEX_BASE_URL):
        logger.warning("outputs are emulated: the provider is %s", settings.VERTEX_BASE_URL)
