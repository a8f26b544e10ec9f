"""What no schema can say, and is therefore no finding."""

from __future__ import annotations

from typing import Any

import schemathesis

from common.api.fields import is_blank

MAX_OFFSET = 10_000  # that of section 4 of the API contract


def _is_cut(value: Any) -> bool:
    """Whether the API measures something else than the schema: a text is trimmed first."""
    return isinstance(value, str) and (is_blank(value) != (value == "") or value != value.strip())


@schemathesis.hook
def filter_case(context: Any, case: Any) -> bool:
    """Neither texts of blanks or with some around them, nor pages that say nothing.

    With blanks around it only the schema finds a text long, and one of nothing but invisible
    characters is blank. The last page that can be asked for depends on ``limit``, and no page is
    looked at beside an ``offset`` or a ``cursor``.
    """
    if isinstance(case.body, dict) and any(map(_is_cut, case.body.values())):
        return False
    query = case.query or {}
    if "page" in query and ("offset" in query or "cursor" in query):
        return False
    try:
        return (int(query.get("page", 1)) - 1) * int(query.get("limit", 20)) <= MAX_OFFSET
    except (TypeError, ValueError):
        return True
