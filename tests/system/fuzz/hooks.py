"""What no schema can say, and is therefore no finding."""

from __future__ import annotations

from typing import Any

import schemathesis

from common.api.fields import is_blank

MAX_OFFSET = 10_000  # that of section 4 of the API contract
OF_VIDEOS = {
    *("video_model", "aspect_ratio", "source_image_urls", "duration", "resolution"),
    *("generate_audio", "seed", "negative_prompt"),
}


def _is_cut(value: Any) -> bool:
    """Whether the API measures something else than the schema: a text is trimmed first."""
    return isinstance(value, str) and (is_blank(value) != (value == "") or value != value.strip())


def _is_refused_together(body: dict[str, Any]) -> bool:
    """Whether each value is taken, but not all of them together: ``durations_by_…`` of a model."""
    images = body.get("source_image_urls")
    is_full = isinstance(images, list) and len(images) == 3
    bound = is_full or body.get("resolution") in ("1080p", "4k")
    return bound and body.get("duration") not in (None, 8)


def _is_for_the_other_type(body: dict[str, Any]) -> bool:
    """Whether a quote has fields that its type ignores, whatever they hold."""
    return bool(body.keys() & (OF_VIDEOS if body.get("type") == "image" else {"size"}))


@schemathesis.hook
def filter_case(context: Any, case: Any) -> bool:
    """Neither texts of blanks or with some around them, nor values that no schema can compare, nor
    pages that say nothing.

    With blanks around it only the schema finds a text long, and one of nothing but invisible
    characters is blank. The last page that can be asked for depends on ``limit``, and no page is
    looked at beside an ``offset`` or a ``cursor``.
    """
    if isinstance(case.body, dict):
        if any(map(_is_cut, case.body.values())) or _is_refused_together(case.body):
            return False
        if case.path.endswith("/quote/") and _is_for_the_other_type(case.body):
            return False
    query = case.query or {}
    if "page" in query and ("offset" in query or "cursor" in query):
        return False
    try:
        return (int(query.get("page", 1)) - 1) * int(query.get("limit", 20)) <= MAX_OFFSET
    except (TypeError, ValueError):
        return True
