"""API keys and login tokens: one kind of secret, of which only the SHA-256 is kept.

``rmk_`` (key) or ``rmt_`` (login token), 36 random base62 characters (214 bits), 6 base62
characters of CRC32. Prefix and checksum let scanners find a leaked one with few false alarms, and
let us refuse a mistyped one without the database (decision 104).
"""

from __future__ import annotations

import hashlib
import re
import secrets
import zlib

ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
RANDOM_LENGTH = 36
CHECKSUM_LENGTH = 6
KEY_PREFIX = "rmk_"
TOKEN_PREFIX = "rmt_"  # noqa: S105 - the prefix of a secret, not a secret
SHAPE = re.compile(rf"(?:rmk|rmt)_[0-9A-Za-z]{{{RANDOM_LENGTH + CHECKSUM_LENGTH}}}")


def generate(prefix: str) -> str:
    """A new secret with the given prefix, 46 characters long."""
    start = prefix + "".join(secrets.choice(ALPHABET) for _ in range(RANDOM_LENGTH))
    return start + _checksum(start)


def is_well_formed(secret: str) -> bool:
    """Whether ``secret`` has our shape and its checksum fits; costs no look-up."""
    if not SHAPE.fullmatch(secret):
        return False
    return _checksum(secret[:-CHECKSUM_LENGTH]) == secret[-CHECKSUM_LENGTH:]


def digest(secret: str) -> bytes:
    """The 32 bytes that are stored and looked up."""
    return hashlib.sha256(secret.encode()).digest()


def preview(secret: str) -> str:
    """What lists show: enough to tell two keys apart, nothing to guess from."""
    return f"{secret[:8]}…{secret[-4:]}"


def _checksum(text: str) -> str:
    value = zlib.crc32(text.encode())
    digits = ""
    for _ in range(CHECKSUM_LENGTH):
        value, rest = divmod(value, len(ALPHABET))
        digits = ALPHABET[rest] + digits
    return digits
