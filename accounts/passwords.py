"""Passwords: how long one may be, and one spelling for those that Unicode calls the same.

A keyboard may write é as one character or as e and an accent. Both are one password, wherever it
is set or checked: the hasher below does it for all of Django, ``User.set_password``,
``check_password``, ``create_user`` and the forms included.
"""

from __future__ import annotations

import unicodedata

from django.contrib.auth.hashers import PBKDF2PasswordHasher
from django.utils.crypto import constant_time_compare

MAX_PASSWORD = 4096  # characters; putting so many into order takes 25 ms at worst


def canonical(password: str) -> str:
    """The spelling that is hashed: NFC, as RFC 8265 section 4.2.2 has it.

    Raises ValueError for more than MAX_PASSWORD characters, before anything is done with them:
    normalising takes the square of their number.
    """
    if len(password) > MAX_PASSWORD:
        raise ValueError(f"A password has at most {MAX_PASSWORD} characters")
    return unicodedata.normalize("NFC", password)


def spellings(password: str) -> list[str]:
    """The spellings that ``password`` may have been hashed in, the likeliest first.

    Before there was a canonical spelling, the hash was made of what was typed: as it is typed
    today, or in either normal form. Plain ASCII has one spelling. Raises ValueError as above.
    """
    composed = canonical(password)
    return list(dict.fromkeys((composed, password, unicodedata.normalize("NFD", password))))


class CanonicalPasswordHasher(PBKDF2PasswordHasher):
    """Django's PBKDF2 of the canonical spelling; what it makes, Django's own class reads too."""

    def encode(self, password: str, salt: str, iterations: int | None = None) -> str:
        """Django's hook. Raises ValueError for a password that is too long."""
        return super().encode(canonical(password), salt, iterations)

    def verify(self, password: str, encoded: str) -> bool:
        """Django's hook; how long a refusal takes depends on ``password`` alone."""
        if len(password) > MAX_PASSWORD:
            return False
        return any(self._is_of(spelling, encoded) for spelling in spellings(password))

    def harden_runtime(self, password: str, encoded: str) -> None:
        """Django's hook: an older hash takes as long as a new one, whatever was guessed."""
        for _ in spellings(password[:MAX_PASSWORD]):
            super().harden_runtime("", encoded)

    def _is_of(self, spelling: str, encoded: str) -> bool:
        _, iterations, salt, _ = encoded.split("$", 3)
        made = super().encode(spelling, salt, int(iterations))
        return constant_time_compare(encoded, made)
