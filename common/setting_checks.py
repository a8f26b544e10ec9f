"""Settings that contradict each other, or that nobody reads: warnings at start and in `check`."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from django.conf import settings
from django.core import checks
from django.core.checks import CheckMessage

A_YEAR = 31_536_000  # seconds
LOCAL_NAMES = {"localhost", "127.0.0.1", "[::1]", "testserver"}

Found = Iterator[CheckMessage]


def check_misspelt(**_: object) -> list[CheckMessage]:
    """A variable that is nearly one of ours was meant to be it."""
    return [
        _warning("W020", f"{name} is no setting.", f"Did you mean {meant}?")
        for name, meant in settings.MISSPELT_VARIABLES.items()
    ]


def check_contradictions(**_: object) -> list[CheckMessage]:
    """What cannot be meant as it is set."""
    found = (_https, _emulator, _outputs, _keys)
    return [message for find in found for message in find()]


def _warning(number: str, message: str, hint: str) -> CheckMessage:
    return checks.Warning(message, hint=hint, id=f"reelmint.{number}")


def _https() -> Found:
    if settings.DEBUG:
        if others := sorted(set(settings.ALLOWED_HOSTS) - LOCAL_NAMES):
            yield _warning(
                "W027",
                f"DEBUG is on and we answer to {', '.join(others)}.",
                "Set DEBUG=0: its error pages show code and settings to whoever meets one.",
            )
        return
    if settings.HTTPS and not settings.NUM_PROXIES:
        yield _warning(
            "W021",
            "HTTPS is on and NUM_PROXIES is 0: a request that a proxy sends us over HTTP is "
            "redirected to HTTPS for ever.",
            "Set NUM_PROXIES to how many proxies of yours append to X-Forwarded-For and set "
            "X-Forwarded-Proto, or HTTPS=0 where none ends TLS.",
        )
    if not settings.HTTPS and not settings.ALLOW_EMULATOR:
        yield _warning(
            "W022",
            "HTTPS is off in production: keys, links and the operators' cookies travel openly.",
            "Unset HTTPS and put a proxy that ends TLS before it.",
        )
    if not settings.HTTPS and settings.SECURE_HSTS_SECONDS:
        yield _warning("W023", "HSTS_SECONDS has no effect with HTTPS off.", "Unset HSTS_SECONDS.")
    if settings.SECURE_HSTS_PRELOAD and not (
        settings.SECURE_HSTS_INCLUDE_SUBDOMAINS and settings.SECURE_HSTS_SECONDS >= A_YEAR
    ):
        yield _warning(
            "W031",
            "HSTS_PRELOAD has no effect: the browsers' list takes who speaks for its subdomains "
            "and for a year.",
            "Set HSTS_INCLUDE_SUBDOMAINS=1 and HSTS_SECONDS=31536000, or unset HSTS_PRELOAD.",
        )


def _emulator() -> Found:
    if settings.ALLOW_EMULATOR and not settings.DEBUG and not settings.VERTEX_BASE_URL:
        yield _warning(
            "W026",
            "ALLOW_EMULATOR is on and the provider is Google: the checks of a production "
            "environment are off.",
            "Unset ALLOW_EMULATOR.",
        )


def _outputs() -> Found:
    bucket = settings.OUTPUT_GCS_BUCKET
    if bucket and settings.OUTPUT_STORAGE != "gcs":
        yield _warning(
            "W024",
            "OUTPUT_GCS_BUCKET has no effect: OUTPUT_STORAGE is local.",
            "Set OUTPUT_STORAGE=gcs, or unset OUTPUT_GCS_BUCKET.",
        )
    elif bucket and bucket == settings.OUTPUT_BUCKET:
        yield _warning(
            "W025",
            "OUTPUT_GCS_BUCKET is the bucket that the provider writes to.",
            "Use another one: what the provider left is deleted by a rule that would take these "
            "files with it.",
        )
    if settings.SIGNUP_CREDITS and not settings.REGISTRATION_OPEN:
        yield _warning(
            "W029",
            "SIGNUP_CREDITS is set and nobody can register: only who joined before and verifies an "
            "e-mail address gets them.",
            "Unset SIGNUP_CREDITS.",
        )


def _keys() -> Found:
    fallbacks = settings.SECRET_KEY_FALLBACKS
    if fallbacks and settings.SECRET_KEY in fallbacks:
        yield _warning(
            "W030",
            "SECRET_KEY is one of SECRET_KEY_FALLBACKS: nothing was rotated.",
            "Put a new key into SECRET_KEY and the old one into SECRET_KEY_FALLBACKS.",
        )


ALL: tuple[Callable[..., list[CheckMessage]], ...] = (check_misspelt, check_contradictions)
