"""Secrets that have to be read again, so that a copy of the database gives none of them away.

Sealed with keys that are derived from ``SECRET_KEY``; what a former key sealed opens as long as
that key is one of ``SECRET_KEY_FALLBACKS`` (docs/rotation.md).
"""

from __future__ import annotations

import base64
from functools import lru_cache

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings

PURPOSE = b"reelmint sealed secrets"  # no other use of SECRET_KEY has the same key


class DoesNotOpenError(Exception):
    """No key that we have sealed this. The text of it says nothing of the secret."""


def seal(secret: str) -> str:
    """With the newest key; the result may be stored."""
    return _keys().encrypt(secret.encode()).decode()


def open_sealed(sealed: str) -> str:
    """The secret, by whichever key sealed it. Raises DoesNotOpenError."""
    try:
        return _keys().decrypt(sealed.encode()).decode()
    except (InvalidToken, UnicodeEncodeError):
        raise DoesNotOpenError("no key opens it") from None


def is_newest(sealed: str) -> bool:
    """Whether it opens without any of SECRET_KEY_FALLBACKS."""
    try:
        _made_of((settings.SECRET_KEY,)).decrypt(sealed.encode())
    except (InvalidToken, UnicodeEncodeError):
        return False
    return True


def seal_anew(sealed: str) -> str:
    """The same secret sealed with the newest key. Raises DoesNotOpenError."""
    return seal(open_sealed(sealed))


def _keys() -> MultiFernet:
    return _made_of((settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS))


@lru_cache(maxsize=4)
def _made_of(words: tuple[str, ...]) -> MultiFernet:
    return MultiFernet([Fernet(base64.urlsafe_b64encode(_derived(word))) for word in words])


def _derived(word: str) -> bytes:
    return HKDF(algorithm=SHA256(), length=32, salt=None, info=PURPOSE).derive(word.encode())
