"""Pages of a list, newest first: ``limit`` and ``offset`` or ``page``, and links with a cursor.

A cursor is a position in the order, not a number of rows to skip: pages do not shift when rows are
added meanwhile, and the thousandth page costs what the first one does.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Generic, TypeVar
from urllib.parse import urlencode

from django.core.exceptions import ValidationError
from django.db.models import Field, Model, Q, QuerySet, Value
from rest_framework.request import Request

from common.api.base_url import base_url
from common.api.query import number
from common.errors import InvalidRequest

Row = TypeVar("Row", bound=Model)

DEFAULT_LIMIT = 20
MAX_LIMIT = 100
MAX_OFFSET = 10_000
COUNT_CAP = 10_000


@dataclass(frozen=True, slots=True)
class Page(Generic[Row]):
    """``rows`` in order, and how to go on; ``count`` is exact unless ``count_is_capped``."""

    rows: list[Row]
    count: int
    count_is_capped: bool
    next: str | None
    previous: str | None

    def body(self, results: list[Any]) -> dict[str, Any]:
        """The answer around the rows' public forms."""
        return {
            "success": True,
            "count": self.count,
            "count_is_capped": self.count_is_capped,
            "next": self.next,
            "previous": self.previous,
            "results": results,
        }


@dataclass(frozen=True, slots=True)
class _Cursor:
    values: tuple[Any, ...]
    backward: bool

    def __str__(self) -> str:
        text = json.dumps([self.backward, *self.values], default=str, separators=(",", ":"))
        return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def paginate(
    request: Request,
    rows: QuerySet[Row],
    fields: tuple[str, ...],
    read: Callable[[list[Any]], list[Row]] | None = None,
    parts: Sequence[QuerySet[Row]] = (),
) -> Page[Row]:
    """One page of ``rows`` by the unique, descending order of ``fields``.

    ``parts`` are the same rows in pieces, for rows that have no index in this order as a whole.
    Each piece has one, and as many of its rows are read as the page may need.

    ``read`` gets the primary keys of a page and returns its rows in any order, where that is
    cheaper than the queryset. Raises InvalidRequest for a ``limit``, ``offset``, ``page`` or
    ``cursor`` out of bounds.
    """
    limit = number(request, "limit", DEFAULT_LIMIT, 1, MAX_LIMIT)
    offset = _offset(request, limit)
    cursor = _read_cursor(request, rows, fields)
    beyond, backward = Q(), cursor is not None and cursor.backward
    if cursor is not None:
        beyond, offset = _beyond(fields, cursor), 0
    order = fields if backward else tuple(f"-{field}" for field in fields)
    found = rows.filter(beyond).order_by(*order)
    if offset or read is not None or parts:
        # The index alone finds the keys; PostgreSQL would read and sort all that is skipped.
        pieces = [part.filter(beyond) for part in parts or (rows,)]
        chosen = _first(pieces, order, offset + limit + 1)[offset:]
        more, chosen = len(chosen) > limit, chosen[:limit]
        page = list(found.filter(pk__in=chosen)) if read is None else _in_order(chosen, read)
    else:
        page = list(found[: limit + 1])
        more, page = len(page) > limit, page[:limit]
    if backward:
        page.reverse()
        has_next, has_previous = True, more
    else:
        has_next, has_previous = more, cursor is not None or offset > 0
    count = _count(parts or (rows,))
    return Page(
        rows=page,
        count=min(count, COUNT_CAP),
        count_is_capped=count > COUNT_CAP,
        next=_link(request, fields, page[-1], False, limit) if page and has_next else None,
        previous=_link(request, fields, page[0], True, limit) if page and has_previous else None,
    )


def _first(pieces: Sequence[QuerySet[Any]], order: tuple[str, ...], most: int) -> list[Any]:
    """The primary keys of the first ``most`` rows of all pieces."""
    names = dict.fromkeys([*(name.removeprefix("-") for name in order), _key(pieces[0])])
    rows = [piece.order_by(*order).values(*names)[:most] for piece in pieces]
    together = rows[0]
    if len(rows) > 1:
        together = rows[0].union(*rows[1:], all=True).order_by(*order)[:most]
    return [row[_key(pieces[0])] for row in together]


def _key(rows: QuerySet[Any]) -> str:
    return str(rows.model._meta.pk.name)


def _count(pieces: Sequence[QuerySet[Any]]) -> int:
    """At most COUNT_CAP + 1. No column is asked for, so that the indexes alone can count."""
    nothing = [
        piece.order_by().annotate(one=Value(1)).values("one")[: COUNT_CAP + 1] for piece in pieces
    ]
    if len(nothing) == 1:
        return int(nothing[0].count())
    return int(nothing[0].union(*nothing[1:], all=True)[: COUNT_CAP + 1].count())


def _in_order(chosen: list[Any], read: Callable[[list[Any]], list[Row]]) -> list[Row]:
    found = {row.pk: row for row in read(chosen)}
    return [found[pk] for pk in chosen if pk in found]


def _offset(request: Request, limit: int) -> int:
    """How many to skip; ``cursor`` wins over ``offset``, and that over ``page``."""
    asked = request.query_params
    if "offset" in asked:
        return _bounded(request, "offset", 0, MAX_OFFSET)
    if "page" not in asked or "cursor" in asked:
        return 0
    return (_bounded(request, "page", 1, MAX_OFFSET // limit + 1) - 1) * limit


def _bounded(request: Request, name: str, least: int, most: int) -> int:
    try:
        return number(request, name, least, least, most)
    except InvalidRequest as error:
        message = f"Must be a whole number from {least} to {most}; follow next to go further"
        title = name.capitalize()
        raise InvalidRequest(f"{title} m{message[1:]}", details={name: message}) from error


def _read_cursor(request: Request, rows: QuerySet[Row], fields: tuple[str, ...]) -> _Cursor | None:
    text = request.query_params.get("cursor")
    if text is None:
        return None
    try:
        raw = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
        backward, *values = json.loads(raw)
        columns = [_column(rows.model, field) for field in fields]
        read = tuple(_read(column, value) for column, value in zip(columns, values, strict=True))
        if not isinstance(backward, bool) or None in read:
            raise ValueError(text)
        return _Cursor(read, backward)
    except (ValueError, TypeError, RecursionError, ValidationError, OverflowError) as error:
        message = "Must be a cursor taken from next or previous"
        raise InvalidRequest(f"Cursor m{message[1:]}", details={"cursor": message}) from error


def _read(column: Field[Any, Any], value: Any) -> Any:
    """A value of a cursor, in UTC: PostgreSQL refuses offsets as large as Python takes."""
    read = column.to_python(value)
    if isinstance(read, datetime):
        if read.tzinfo is None:
            raise ValueError(value)
        return read.astimezone(UTC)
    return read


def _column(model: type[Model], name: str) -> Field[Any, Any]:
    column = model._meta.get_field(name)
    if not isinstance(column, Field):
        raise TypeError(f"{name} is no column")
    return column


def _beyond(fields: tuple[str, ...], cursor: _Cursor) -> Q:
    """``(a, b) < (x, y)``, spelled out; the first part lets the index find its place."""
    side = "gt" if cursor.backward else "lt"
    first, last = Q(), Q(pk__in=[])
    for field, value in zip(fields, cursor.values, strict=True):
        last |= first & Q(**{f"{field}__{side}": value})
        first &= Q(**{field: value})
    return Q(**{f"{fields[0]}__{side}e": cursor.values[0]}) & last


def _link(request: Request, fields: tuple[str, ...], row: Model, backward: bool, limit: int) -> str:
    cursor = _Cursor(tuple(_plain(getattr(row, field)) for field in fields), backward)
    kept = {
        name: value
        for name, value in request.query_params.items()
        if name not in {"cursor", "offset", "page", "limit"}
    }
    query = urlencode(kept | {"limit": limit, "cursor": str(cursor)})
    return f"{base_url(request)}{request.path}?{query}"


def _plain(value: Any) -> Any:
    return value.isoformat() if hasattr(value, "isoformat") else value
