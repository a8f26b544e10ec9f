"""The template filter for the changes of an audit entry."""

from __future__ import annotations

from typing import Any

from django import template

register = template.Library()
PAIR = 2
NOTHING = "–"


@register.filter
def lines(changes: dict[str, Any]) -> list[tuple[str, str, str, bool]]:
    """(field, before, after, whether there is a before) of each change."""
    found = []
    for name, value in changes.items():
        pair = isinstance(value, list) and len(value) == PAIR
        before, after = value if pair else ("", value)
        found.append((name.replace("_", " "), _shown(before), _shown(after), pair))
    return found


def _shown(value: Any) -> str:
    return NOTHING if value is None or value == "" else str(value)
