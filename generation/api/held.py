"""How long a status request may be held: ``wait`` of its query, or ``Prefer`` (RFC 7240).

Web and waiter read it here, so that both refuse the same. Web never holds one.
"""

from __future__ import annotations

import re

from django.http import HttpRequest

from common.api.query import number

MOST = 25  # seconds: below the time limits of most proxies and client libraries
# Up to the end where nothing closes it, so that no header is read more than once.
_QUOTED = re.compile(r'"((?:[^"\\]|\\.?)*+)("?)')
_SECONDS = re.compile(r"[0-9]{1,9}")


def seconds(request: HttpRequest) -> int | None:
    """None where no wait is asked for. Raises InvalidRequest for a bad ``wait`` of the query."""
    if "wait" in request.GET:
        return number(request, "wait", MOST, 1, MOST)
    header = request.headers.get("Prefer")
    return None if header is None else preferred(header)


def preferred(header: str) -> int | None:
    """What ``Prefer`` says of waiting; what cannot be read is ignored, as the RFC asks for.

    Only the first ``wait`` counts, and without a value it is as long as may be.
    """
    plain = _QUOTED.sub(_unquoted, header)
    for preference in plain.split(","):
        name, _, value = preference.partition(";")[0].partition("=")
        if name.strip().lower() == "wait":
            wanted = value.strip()
            if not wanted:
                return MOST
            readable = _SECONDS.fullmatch(wanted) and int(wanted) > 0
            return min(int(wanted), MOST) if readable else None
    return None


def _unquoted(found: re.Match[str]) -> str:
    """The word within; what holds more than letters and digits stays no word at all."""
    is_word = found[1] == "" or found[1].isalnum()
    return found[1] if is_word and found[2] else "?"
