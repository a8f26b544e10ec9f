"""``expand[]``: objects in the place of their ids, and lists that are left out otherwise."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from typing import Any

from dev.stripe.wire.errors import StripeError
from dev.stripe.wire.store import Obj, Store

DEPTH_MAX = 4

# (kind of object, field) -> the list that is shown only where somebody asks for it
Computed = Mapping[tuple[str, str], Callable[[Obj], Any]]


def expanded(obj: Obj, paths: list[str], store: Store, computed: Computed) -> Obj:
    """A copy of ``obj`` with the fields of ``paths`` expanded. Raises a 400 StripeError."""
    if not paths:
        return obj
    found = copy.deepcopy(obj)
    for path in paths:
        parts = path.split(".")
        if len(parts) > DEPTH_MAX + (parts[0] == "data"):
            raise StripeError(f"You cannot expand more than {DEPTH_MAX} levels.", param="expand")
        _expand(found, parts, path, store, computed)
    return found


def _expand(obj: Obj, parts: list[str], path: str, store: Store, computed: Computed) -> None:
    name, rest = parts[0], parts[1:]
    key = (obj.get("object", ""), name)
    if key in computed and not isinstance(obj.get(name), dict):
        obj[name] = copy.deepcopy(computed[key](obj))
    if name not in obj:
        raise StripeError(f"This property cannot be expanded ({path}).", param="expand")
    value = obj[name]
    if isinstance(value, str):
        target = store.find(value)
        if target is None:
            raise StripeError(f"This property cannot be expanded ({path}).", param="expand")
        obj[name] = value = copy.deepcopy(target)
    for each in value if isinstance(value, list) else [value]:
        if rest and isinstance(each, dict):
            _expand(each, rest, path, store, computed)
