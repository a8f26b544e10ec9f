"""The second factor: an authenticator app (TOTP), and recovery codes for its loss.

Operators and customers keep it in the same tables. Code that only checks a secret or a password
does not load this module: the API asks for no second factor.
"""

from __future__ import annotations

import base64
import hashlib
import secrets
import unicodedata
from collections.abc import Callable
from typing import TypeVar

import django_otp
import segno
from django.db import transaction
from django_otp.models import Device
from django_otp.plugins.otp_static.models import StaticDevice, StaticToken
from django_otp.plugins.otp_totp.models import TOTPDevice

from accounts import guesses
from accounts.models import User

Found = TypeVar("Found")

APP = "authenticator app"
RECOVERY = "recovery codes"
CODES = 10
CODE_LENGTH = 16  # characters of base32: 80 random bits
TOTP_DIGITS = 6
QUIET = 4  # squares of margin around a QR code, which scanners need


def has_one(user: User) -> bool:
    """Whether the user has enrolled an app."""
    return bool(TOTPDevice.objects.filter(user=user, confirmed=True).exists())


def begin_enrolment(user: User) -> TOTPDevice:
    """A new key for an app. It is no second factor until it is confirmed."""
    return TOTPDevice.objects.create(user=user, name=APP, confirmed=False)


def confirm(user: User, device: TOTPDevice, code: str) -> list[str] | None:
    """Make the app the user's second factor; the recovery codes, or None for a wrong ``code``.

    Of two enrolments for one user at the same time, the second is refused.
    """
    with transaction.atomic():
        User.objects.select_for_update(no_key=True).get(pk=user.pk)
        locked = TOTPDevice.objects.select_for_update().filter(pk=device.pk, user=user).first()
        if locked is None or has_one(user) or not locked.verify_token(_digits(code)):
            return None
        locked.confirmed = True
        locked.save()
        TOTPDevice.objects.filter(user=user).exclude(pk=locked.pk).delete()
        return new_recovery_codes(user)


def check(user: User, code: str) -> Device | None:
    """The device of ``code``. A code works once; after a wrong one the next has to wait."""
    digits = _digits(code)
    if len(digits) == TOTP_DIGITS and digits.isdecimal():
        device: Device | None = TOTPDevice.objects.filter(user=user, confirmed=True).first()
        token = digits
    else:
        device = StaticDevice.objects.filter(user=user, confirmed=True).first()
        token = _digest(code)
    if device is None:
        return None
    verified: Device | None = django_otp.verify_token(user, device.persistent_id, token)
    return verified


def guess(
    user: User, address: str, find: Callable[[], Found | None], refused: Callable[[], object]
) -> Found | None:
    """What ``find`` returns for a code. For a wrong one ``refused`` is called; the result is None.

    Each try takes a place of the rate limit, and even a right code does not give it back. Raises
    RateLimited, before the code is looked at or after it was wrong.
    """
    person = str(user.pk)
    guesses.refuse_crowd(guesses.CODES, address)
    guesses.take_place(guesses.CODES, person, address)
    found = find()
    if found is None:
        refused()
        guesses.failed(guesses.CODES, person, address)
    return found


def new_recovery_codes(user: User) -> list[str]:
    """Ten codes that work once each, in place of older ones. Only their digests are kept."""
    with transaction.atomic():
        StaticDevice.objects.filter(user=user).delete()
        device = StaticDevice.objects.create(user=user, name=RECOVERY)
        codes = [_random_code() for _ in range(CODES)]
        StaticToken.objects.bulk_create(
            StaticToken(device=device, token=_digest(code)) for code in codes
        )
    return codes


def reset(user: User) -> int:
    """Take the second factor away; how many devices were deleted. The next log-in enrols."""
    removed = 0
    with transaction.atomic():
        for device in list(django_otp.devices_for_user(user, confirmed=None)):
            device.delete()
            removed += 1
    return removed


def qr_code(device: TOTPDevice) -> str:
    """The QR code for an authenticator app, as an SVG element."""
    return segno.make(device.config_url, error="m").svg_inline(scale=5, dark="#000", light="#fff")


def qr_squares(device: TOTPDevice) -> tuple[int, str]:
    """The QR code as a path of SVG, one unit a square, and its width in units.

    It is for templates that mark nothing as safe.
    """
    rows = segno.make(device.config_url, error="m").matrix
    path = [
        f"M{x + QUIET} {y + QUIET}h1v1h-1z"
        for y, row in enumerate(rows)
        for x, dark in enumerate(row)
        if dark
    ]
    return len(rows) + 2 * QUIET, "".join(path)


def typed_key(device: TOTPDevice) -> str:
    """The device's key for typing, in groups of four."""
    text = base64.b32encode(device.bin_key).decode().rstrip("=")
    return " ".join(text[at : at + 4] for at in range(0, len(text), 4))


def _random_code() -> str:
    text = base64.b32encode(secrets.token_bytes(CODE_LENGTH * 5 // 8)).decode().lower()
    return "-".join(text[at : at + 4] for at in range(0, CODE_LENGTH, 4))


def _digest(code: str) -> str:
    """The digest of a recovery code, whatever its case, blanks and dashes."""
    plain = "".join(letter for letter in code.lower() if letter.isalnum())
    return base64.b32encode(hashlib.sha256(plain.encode()).digest()).decode()[:CODE_LENGTH]


def _digits(code: str) -> str:
    return "".join(unicodedata.normalize("NFKC", code).split())
