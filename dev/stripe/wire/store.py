"""All objects of this process, in memory: by kind, in the order in which they were made."""

from __future__ import annotations

import secrets
import string
from collections.abc import Callable
from typing import Any

from dev.stripe.wire.errors import StripeError, no_such

Obj = dict[str, Any]
ALPHABET = string.ascii_letters + string.digits
LIMIT_DEFAULT = 10
LIMIT_MAX = 100
# Objects of one kind: a soak run makes ever new ones. Most of the memory is events.
KEPT_MAX = 20_000
EVENTS_MAX = 5_000


def new_id(prefix: str, length: int = 24) -> str:
    return f"{prefix}_" + "".join(secrets.choice(ALPHABET) for _ in range(length))


class Store:
    """Objects as they are answered, but not expanded: a reference is an id."""

    def __init__(self) -> None:
        self._kinds: dict[str, dict[str, Obj]] = {}
        self._all: dict[str, Obj] = {}

    def add(self, obj: Obj) -> Obj:
        """Keep an object; the oldest of its kind are let go when there are very many."""
        kind = self._kinds.setdefault(obj["object"], {})
        kind[obj["id"]] = self._all[obj["id"]] = obj
        if len(kind) > (EVENTS_MAX if obj["object"] == "event" else KEPT_MAX):
            oldest = next(iter(kind))
            del kind[oldest]
            self._all.pop(oldest, None)
        return obj

    def remove(self, obj: Obj) -> None:
        del self._kinds[obj["object"]][obj["id"]]
        del self._all[obj["id"]]

    def find(self, name: str | None) -> Obj | None:
        """The object of this id, whatever its kind."""
        return self._all.get(name or "")

    def get(self, kind: str, name: str, param: str | None = None) -> Obj:
        """One of this kind. Raises a 404, or a 400 where ``param`` named it."""
        found = self._kinds.get(kind, {}).get(name)
        if found is None:
            raise no_such(kind, name, param or "id", 400 if param else 404)
        return found

    def every(self, kind: str) -> list[Obj]:
        """All of a kind, oldest first."""
        return list(self._kinds.get(kind, {}).values())

    def clear(self) -> None:
        self._kinds.clear()
        self._all.clear()

    def page(self, kind: str, params: Obj, where: Callable[[Obj], bool], url: str) -> Obj:
        """A page of Stripe's lists, newest first, by ``limit`` and the id it starts after."""
        found = [each for each in reversed(self.every(kind)) if where(each)]
        found = [each for each in found if is_within(each["created"], params.get("created"))]
        return page_of(found, params, url)


def is_within(moment: int, bounds: dict[str, int] | None) -> bool:
    """Whether a time lies within ``gt``, ``gte``, ``lt`` and ``lte``."""
    bounds = bounds or {}
    return (
        moment > bounds.get("gt", -1)
        and moment >= bounds.get("gte", 0)
        and moment < bounds.get("lt", moment + 1)
        and moment <= bounds.get("lte", moment)
    )


def page_of(found: list[Obj], params: Obj, url: str) -> Obj:
    """The part of ``found`` that the paging parameters ask for, as a list object."""
    limit = params.get("limit", LIMIT_DEFAULT)
    if not 1 <= limit <= LIMIT_MAX:
        raise StripeError("Limit must be between 1 and 100.", param="limit")
    ids = [each["id"] for each in found]
    for name in ("starting_after", "ending_before"):
        if name in params and params[name] not in ids:
            raise no_such("object", params[name], name, 400)
    if "ending_before" in params:
        before = found[: ids.index(params["ending_before"])]
        return list_object(before[-limit:], url, has_more=len(before) > limit)
    if "starting_after" in params:
        found = found[ids.index(params["starting_after"]) + 1 :]
    return list_object(found[:limit], url, has_more=len(found) > limit)


def list_object(data: list[Obj], url: str, *, has_more: bool = False) -> Obj:
    return {"object": "list", "data": data, "has_more": has_more, "url": url}
