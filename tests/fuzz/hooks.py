"""What no schema can say, and is therefore no finding."""

from __future__ import annotations

from typing import Any

import schemathesis

from common.fields import is_blank

MAX_OFFSET = 10_000  # that of section 4 of the API contract


@schemathesis.hook
def filter_case(context: Any, case: Any) -> bool:
    """Neither prompts of blanks or with some around them, nor pages beyond the last offset.

    A prompt is measured after trimming; with blanks around it only the schema finds it long, and
    one of nothing but invisible characters is blank. The last page that can be asked for depends on
    ``limit``.
    """
    prompt = case.body.get("prompt") if isinstance(case.body, dict) else None
    if isinstance(prompt, str) and (is_blank(prompt) != (prompt == "") or prompt != prompt.strip()):
        return False
    query = case.query or {}
    try:
        return (int(query.get("page", 1)) - 1) * int(query.get("limit", 20)) <= MAX_OFFSET
    except (TypeError, ValueError):
        return True
