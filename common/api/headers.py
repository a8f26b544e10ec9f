"""Request headers whose values have rules: ``Idempotency-Key`` and conditions."""

from __future__ import annotations

from collections.abc import Mapping

from django.http import HttpRequest
from django.utils.http import parse_etags
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


def condition(request: HttpRequest | Request, tag: str) -> int | None:
    """What the conditions in a request's headers come to (see ``judged``)."""
    return judged(request.headers, tag)


def judged(headers: Mapping[str, str], tag: str) -> int | None:
    """412, 304 or None for a GET or HEAD of what has this entity tag (in its quotes).

    The order is that of RFC 9110, section 13.2.2. Conditions about times are ignored, because we
    hand out no dates of changes (sections 13.1.3 and 13.1.4).
    """
    if (header := headers.get("If-Match")) is not None:
        wanted = parse_etags(header)
        if wanted != ["*"] and (tag.startswith("W/") or tag not in wanted):  # strong comparison
            return 412
    if (header := headers.get("If-None-Match")) is not None:
        known = [each.removeprefix("W/") for each in parse_etags(header)]
        if known == ["*"] or tag.removeprefix("W/") in known:
            return 304
    return None
