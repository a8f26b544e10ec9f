"""Authenticator apps of people in tests: their keys, and what they show."""

from __future__ import annotations

import time

from django_otp.oath import totp
from django_otp.plugins.otp_static.models import StaticDevice
from django_otp.plugins.otp_totp.models import TOTPDevice

from accounts import second_factor
from accounts.models import User


def code_of(user: User) -> str:
    """What the app shows for the newest key; one step later each time it has been used."""
    device = TOTPDevice.objects.filter(user=user).latest("pk")
    at = max(int(time.time()) // 30, device.last_t + 1)
    return f"{totp(device.bin_key, t0=-(at - int(time.time()) // 30) * 30):06d}"


def enrol(user: User) -> list[str]:
    """Give the user an app; the recovery codes."""
    device = second_factor.begin_enrolment(user)
    codes = second_factor.confirm(user, device, code_of(user))
    assert codes is not None
    return codes


def forgive(user: User) -> None:
    """Take back how long the devices let the next code wait after a wrong one."""
    for model in (TOTPDevice, StaticDevice):
        model.objects.filter(user=user).update(
            throttling_failure_timestamp=None, throttling_failure_count=0
        )
