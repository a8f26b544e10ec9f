"""Request headers that need reading with care."""

from __future__ import annotations

from rest_framework.request import Request

from common.errors import InvalidRequest

MAX_KEY = 255  # of Idempotency-Key, contract section 2


def idempotency_key(request: Request) -> str | None:
    """The header's value. Raises InvalidRequest unless it is 1 to 255 printable characters."""
    key = request.headers.get("Idempotency-Key")
    if key is None or (0 < len(key) <= MAX_KEY and key.isascii() and key.isprintable()):
        return key
    message = f"Must be 1 to {MAX_KEY} printable ASCII characters"
    raise InvalidRequest(f"Idempotency-Key m{message[1:]}", details={"Idempotency-Key": message})


def matches(header: str | None, tag: str) -> bool:
    """RFC 9110 13.1.2: weak comparison with each tag of If-None-Match."""
    if header is None:
        return False
    offered = [part.strip().removeprefix("W/") for part in header.split(",")]
    return "*" in offered or tag.removeprefix("W/") in offered
