"""Django's system checks for what must not go into production by accident.

Each app registers its own. ``manage.py`` runs them, and gunicorn and Celery do not: those call
:func:`refuse_to_start`, which runs the ones that a process must not start without.
"""

from __future__ import annotations

import logging
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core import checks
from django.core.checks import CheckMessage, Error, Tags, register
from django.core.exceptions import ImproperlyConfigured

from common import setting_checks

logger = logging.getLogger(__name__)

START = "start"  # the tag of what every process asks itself at its start; reads only settings
SIGNS = "signs"  # likewise, of a process that signs links and sessions


def in_production() -> bool:
    """Whether customers may be served."""
    return not settings.DEBUG and not settings.ALLOW_EMULATOR


def check_public_base_url(**_: Any) -> list[CheckMessage]:
    """Workers tell customers of links and have no request that says where we are."""
    if settings.PUBLIC_BASE_URL or settings.DEBUG:
        return []
    return [
        Error(
            "PUBLIC_BASE_URL is not set.",
            hint="Set it to the address customers use, such as https://api.example.com.",
            id="reelmint.E037",
        )
    ]


def check_https_of_links(**_: Any) -> list[CheckMessage]:
    """Links are signed for everybody who has them, so they should not travel in the open."""
    base = settings.PUBLIC_BASE_URL
    if not in_production() or not base or urlsplit(base).scheme == "https":
        return []
    return [
        checks.Warning(
            "PUBLIC_BASE_URL is not an https URL.",
            hint="Set it to the address customers use, such as https://api.example.com.",
            id="reelmint.W007",
        )
    ]


def check_signing_key(**_: Any) -> list[CheckMessage]:
    """Who signs links and sessions needs a key; the other processes do without."""
    try:
        if settings.SECRET_KEY:
            return []
    except ImproperlyConfigured:  # Django raises it where an empty key is read
        pass
    return [
        Error(
            "SECRET_KEY is not set.",
            hint="It signs links and sessions, and seals the secrets of webhooks: give web and the "
            "worker of webhooks 50 random characters or more, the same.",
            id="reelmint.E009",
        )
    ]


def register_all() -> None:
    """Make them part of ``manage.py check``, some of them only of ``--deploy``."""
    register(check_signing_key, Tags.security, SIGNS, deploy=True)
    register(check_public_base_url, Tags.security, START, deploy=True)  # migrate needs none
    register(check_https_of_links, Tags.security, deploy=True)
    for check in setting_checks.ALL:
        register(check, Tags.security, START)


def refuse_to_start(*, signs: bool = False) -> None:
    """Raise ImproperlyConfigured with every error, log every warning.

    For the starts of web (which ``signs``), worker and beat, which run no system checks.
    """
    tags = [START, SIGNS] if signs else [START]
    found = checks.run_checks(tags=tags, include_deployment_checks=True)
    found.sort(key=lambda each: each.id or "")  # Django keeps its checks in a set
    errors = [message for message in found if message.is_serious()]
    if errors:
        lines = "\n".join(f"  - {error.id}: {error.msg} {error.hint}" for error in errors)
        raise ImproperlyConfigured(f"The service does not start like this:\n{lines}")
    for message in found:
        logger.warning("%s: %s %s", message.id, message.msg, message.hint)
