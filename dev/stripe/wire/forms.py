"""Form bodies and queries with brackets, as Stripe's clients write them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any
from urllib.parse import parse_qsl

from dev.stripe.wire.errors import StripeError

NAME = re.compile(r"([^\[\]]+)((?:\[[^\[\]]*\])*)")
PARAMETERS_MAX = 5_000
DEPTH_MAX = 8


def decode(body: str) -> dict[str, Any]:
    """``a[b][0][c]=1&expand[]=x`` as nested dictionaries; a list has the keys "0", "1", ..."""
    try:
        pairs = parse_qsl(body, keep_blank_values=True, max_num_fields=PARAMETERS_MAX)
    except ValueError:
        raise StripeError("Too many parameters.") from None
    return nest(pairs)


def nest(pairs: Iterable[tuple[str, str]]) -> dict[str, Any]:
    """Put each value into the place that the brackets of its name say."""
    found: dict[str, Any] = {}
    for name, value in pairs:
        match = NAME.fullmatch(name)
        if match is None:
            raise StripeError(f"Invalid parameter name: {name}", param=name)
        path = [match[1], *re.findall(r"\[([^\[\]]*)\]", match[2])]
        if len(path) > DEPTH_MAX:
            raise StripeError(f"Parameters are nested too deeply: {name}", param=name)
        _put(found, path, value, name)
    return found


def _put(target: dict[str, Any], path: list[str], value: str, name: str) -> None:
    for part in path[:-1]:
        inner = target.setdefault(part or str(len(target)), {})
        if not isinstance(inner, dict):
            raise StripeError(f"Invalid parameter: {name}", param=name)
        target = inner
    # The last of several equal names wins, as with Stripe.
    target[path[-1] or str(len(target))] = value
