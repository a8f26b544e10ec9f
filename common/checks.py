"""Django's system checks for what must not go into production by accident.

``manage.py`` runs them, and gunicorn and Celery do not: those call :func:`refuse_to_start`.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Sequence
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core import checks
from django.core.checks import CheckMessage, Error, Tags, register
from django.core.exceptions import ImproperlyConfigured
from django.db import connections

from common import setting_checks

logger = logging.getLogger(__name__)

GOOGLE = ".googleapis.com"
LEDGER = "credits_ledgerentry"
PROVIDER_URLS = {"VERTEX_BASE_URL": "reelmint.E001", "STORAGE_BASE_URL": "reelmint.E002"}


def is_google(url: str) -> bool:
    """Whether ``url`` (empty = the client's own default) leads to the real provider."""
    parts = urlsplit(url)
    return not url or (parts.scheme == "https" and (parts.hostname or "").endswith(GOOGLE))


def _in_production() -> bool:
    return not settings.DEBUG and not settings.ALLOW_EMULATOR


def check_emulator(**_: Any) -> list[CheckMessage]:
    """Customers never pay for emulated videos."""
    if not _in_production():
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
    if not _in_production() or not settings.SOURCE_IMAGE_ALLOWED_ORIGINS:
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
    if not _in_production() or settings.TIME_SCALE == 1:
        return []
    return [
        checks.Warning(
            f"TIME_SCALE is {settings.TIME_SCALE}: deadlines and timeouts are not the real ones.",
            hint="Unset it: only emulated work runs on another clock.",
            id="reelmint.W006",
        )
    ]


def check_public_base_url(**_: Any) -> list[CheckMessage]:
    """Links are signed for everybody who has them, so they should not travel in the open."""
    if not _in_production() or urlsplit(settings.PUBLIC_BASE_URL).scheme == "https":
        return []
    return [
        checks.Warning(
            "PUBLIC_BASE_URL is not an https URL.",
            hint="Set it to the address customers use, such as https://api.example.com; without "
            "it, links repeat the Host header of the request.",
            id="reelmint.W007",
        )
    ]


def check_ledger_owner(databases: Sequence[str] | None = None, **_: Any) -> list[CheckMessage]:
    """The owner of a table can disable the trigger that makes it append-only."""
    found: list[CheckMessage] = []
    for alias in databases or ():
        with connections[alias].cursor() as cursor:
            cursor.execute(
                "SELECT pg_has_role(current_user, tableowner::name, 'MEMBER') FROM pg_tables"
                " WHERE tablename = %s AND schemaname = ANY(current_schemas(false))",
                [LEDGER],
            )
            row = cursor.fetchone()
        if row is not None and row[0]:
            found.append(
                checks.Warning(
                    "The service connects to the database as the owner of the ledger.",
                    hint="Run migrations as one role and the service as another one, without "
                    "rights to the tables' definitions; ops/postgres/roles.sql makes both.",
                    id="reelmint.W008",
                )
            )
    return found


def check_signing_key(**_: Any) -> list[CheckMessage]:
    """Who signs links and sessions needs a key; the other processes do without."""
    try:
        if settings.SECRET_KEY:
            return []
    except ImproperlyConfigured:  # Django's answer to whoever reads an empty one
        pass
    return [
        Error(
            "SECRET_KEY is not set.",
            hint="It signs links and sessions: give the web 50 random characters or more.",
            id="reelmint.E009",
        )
    ]


AT_START: tuple[Callable[..., Iterable[CheckMessage]], ...] = (
    check_emulator,
    check_source_images,
    check_provider,
)


def register_all() -> None:
    """Make them part of ``manage.py check``, most of them only of ``--deploy``."""
    for check in (check_emulator, check_source_images):
        register(check, Tags.security)
    for check in (check_provider, check_signing_key, check_time_scale, check_public_base_url):
        register(check, Tags.security, deploy=True)
    for check in setting_checks.ALL:
        register(check, Tags.security)
    # not without --deploy: migrate runs the database's checks too, as the owner, rightly
    register(check_ledger_owner, Tags.database, deploy=True)


def refuse_to_start(*, signs: bool = False) -> None:
    """Raise ImproperlyConfigured with every error, or say in the log that outputs are emulated.

    For the starts of web (which ``signs``), worker and beat, which run no system checks. Reads
    only settings.
    """
    checked = (*AT_START, check_signing_key) if signs else AT_START
    errors = [message for check in checked for message in check()]
    if errors:
        lines = "\n".join(f"  - {error.id}: {error.msg} {error.hint}" for error in errors)
        raise ImproperlyConfigured(f"The service does not start like this:\n{lines}")
    for message in (each for check in setting_checks.ALL for each in check()):
        logger.warning("%s: %s %s", message.id, message.msg, message.hint)
    if not is_google(settings.VERTEX_BASE_URL):
        logger.warning("outputs are emulated: the provider is %s", settings.VERTEX_BASE_URL)
