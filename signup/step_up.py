"""A person proves once more who they are.

After the password a code is asked for; before a sensitive step, a password or a code. The limits
and the audit log's entries are those of every way in (``accounts/guesses.py``).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from django.db import transaction
from django_otp.models import Device

from accounts import login, second_factor
from accounts.models import User
from common.errors import InvalidCredentials
from common.web import rate_limit

Found = TypeVar("Found")

CONSOLE = login.Door("console", lambda user: user.memberships.exists(), "belongs to no account")
DOOR = CONSOLE.name
REFUSED_CODE = "refuse_second_factor"
MINUTE = 60  # seconds
PER_ADDRESS, PER_PERSON = 10, 10  # a minute


def needs_code(user: User) -> bool:
    """Whether the password alone does not log this person in."""
    return second_factor.has_one(user)


def check_code(user: User, code: str, address: str) -> Device:
    """The device that the ``code`` is of. A code works once.

    Raises InvalidCredentials or RateLimited.
    """
    found = guess_code(user, address, lambda: second_factor.check(user, code))
    if found is None:
        raise InvalidCredentials
    return found


def guess_code(user: User, address: str, find: Callable[[], Found | None]) -> Found | None:
    """What ``find`` returns for a code; None for a wrong one, which is announced.

    Raises RateLimited.
    """
    return second_factor.guess(user, address, find, lambda: _announce_refusal(user, address))


def confirm(user: User, password: str, code: str, address: str) -> None:
    """Take a password, or a code where the person has a second factor.

    Raises InvalidCredentials or RateLimited.
    """
    for name, limit, key in (
        ("confirms-of-address", PER_ADDRESS, address),
        ("confirms-of-person", PER_PERSON, str(user.pk)),
    ):
        decision = rate_limit.hit(name, limit, MINUTE, key)
        if not decision.allowed:
            raise rate_limit.too_many(decision)
    if code and second_factor.has_one(user):
        check_code(user, code, address)
    else:
        login.check_again(DOOR, user, password, address)


def _announce_refusal(user: User, address: str) -> None:
    with transaction.atomic():
        login.refused.send(
            login.Door,
            action=REFUSED_CODE,
            user=user,
            door=DOOR,
            reason="wrong code",
            address=address,
        )
