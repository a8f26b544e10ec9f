"""The ledger as CSV, in any length: a page of rows at a time, and no transaction between them."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator
from typing import Any

from django.db.models import Q, QuerySet

from credits.models import LedgerEntry

PAGE = 2000  # rows
BY_TIME = ("created_at", "id")
BY_ACCOUNT = ("wallet_id", "sequence")
# column of the tables: column of the file
COLUMNS = {
    "created_at": "created_at",
    "wallet_id": "account",
    "wallet__account__name": "account_name",
    "sequence": "sequence",
    "kind": "kind",
    "amount": "amount",
    "balance_after": "balance_after",
    "generation_id": "generation_id",
    "reference": "reference",
    "description": "description",
    "created_by__username": "created_by",
}
# columns that somebody typed
TYPED = frozenset({"wallet__account__name", "reference", "description", "created_by__username"})
# What a spreadsheet would run as a formula (OWASP, CSV injection).
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")


def lines(rows: QuerySet[LedgerEntry], order: tuple[str, str] = BY_TIME) -> Iterator[str]:
    """The lines of the file, some hundred kilobytes at a time; both orders have an index."""
    yield _text([COLUMNS.values()])
    last: dict[str, Any] | None = None
    # no instances: they would cost three times as much
    ordered = rows.order_by(*order).values("id", *COLUMNS)
    while True:
        page = list((ordered if last is None else ordered.filter(_behind(last, order)))[:PAGE])
        if page:
            yield _text(_cells(entry) for entry in page)
            last = page[-1]
        if len(page) < PAGE:
            return


def safe(text: str | None) -> str:
    """A typed text, changed so that no spreadsheet takes it for a formula."""
    return f"'{text}" if text and text.startswith(FORMULA) else text or ""


def _behind(last: dict[str, Any], order: tuple[str, str]) -> Q:
    """The condition for rows behind ``last``. Its first part lets the index find the place."""
    first, second = order
    return Q(**{f"{first}__gte": last[first]}) & (
        Q(**{f"{first}__gt": last[first]}) | Q(**{f"{second}__gt": last[second]})
    )


def _cells(entry: dict[str, Any]) -> Iterator[Any]:
    for name in COLUMNS:
        value = entry[name]
        if name in TYPED:
            value = safe(value)
        elif name == "created_at":
            value = value.isoformat()
        yield "" if value is None else value


def _text(rows: Iterable[Iterable[Any]]) -> str:
    buffer = io.StringIO()
    csv.writer(buffer).writerows(rows)
    return buffer.getvalue()
