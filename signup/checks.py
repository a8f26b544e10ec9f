"""Django's system check of trial credits that nobody would get."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core import checks
from django.core.checks import CheckMessage, register


def check_trial(**_: Any) -> list[CheckMessage]:
    """A day that has less than one gift gives none."""
    if settings.SIGNUP_CREDITS <= settings.TRIAL_CREDITS_PER_DAY:
        return []
    return [
        checks.Warning(
            "SIGNUP_CREDITS has no effect: TRIAL_CREDITS_PER_DAY is lower.",
            hint="Set TRIAL_CREDITS_PER_DAY to what a day may give in all, or unset both.",
            id="reelmint.W034",
        )
    ]


def register_all() -> None:
    register(check_trial)
