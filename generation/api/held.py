"""How long a status request may be held: ``wait`` of its query, or ``Prefer`` (RFC 7240).

Web and waiter read it here, so that both refuse the same. Web never holds one.
"""

from __future__ import annotations

import re

from django.http import HttpRequest

from common.api.query import number

MOST = 25  # seconds: below the time limits of most proxies and client libraries
# A quote that nothing closes goes up to the end, so that no header is read more than once.
_QUOTED = re.compile(r'"((?:[^"\\]|\\.?)*+)("?)')
_SECONDS = re.compile(r"[0-9]{1,9}")


def seconds(request: HttpRequest) -> int | None:
    """Seconds to wait; None if no wait is asked for. Raises InvalidRequest for a bad query."""
    if "wait" in request.GET:
        return number(request, "wait", MOST, 1, MOST)
    header = request.headers.get("Prefer")
    return None if header is None else preferred(header)


def preferred(header: str) -> int | None:
    """The seconds that ``Prefer`` asks for. As the RFC has it, what cannot be read is ignored.

    Only the first ``wait`` counts; without a value it is MOST.
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
    """The word within the quotes; ``?`` if it has more than letters and digits."""
    is_word = found[1] == "" or found[1].isalnum()
    return found[1] if is_word and found[2] else "?"
