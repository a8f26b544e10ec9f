"""The ledger as CSV, in any length: a page of rows at a time, and no transaction between them."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator
from typing import Any

from django.db.models import Q, QuerySet
from django.utils import timezone

from credits.models import LedgerEntry

PAGE = 2000  # rows
BY_TIME = ("created_at", "id")
BY_ACCOUNT = ("wallet_id", "sequence")
COLUMNS = (
    *("created_at", "account", "account_name", "sequence", "kind", "amount", "balance_after"),
    *("generation_id", "reference", "description", "created_by"),
)
# What a spreadsheet would run as a formula (OWASP, CSV injection).
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")


def lines(rows: QuerySet[LedgerEntry], order: tuple[str, str] = BY_TIME) -> Iterator[str]:
    """The lines of the file, some hundred kilobytes at a time; both orders have an index."""
    yield _text([COLUMNS])
    last: LedgerEntry | None = None
    ordered = rows.select_related("wallet__account", "created_by").order_by(*order)
    while True:
        page = list((ordered if last is None else ordered.filter(_behind(last, order)))[:PAGE])
        if page:
            yield _text(_cells(entry) for entry in page)
            last = page[-1]
        if len(page) < PAGE:
            return


def safe(text: str | None) -> str:
    """What somebody typed, so that no spreadsheet takes it for a formula."""
    return f"'{text}" if text and text.startswith(FORMULA) else text or ""


def _behind(last: LedgerEntry, order: tuple[str, str]) -> Q:
    """Beyond ``last``; the first part lets the index find its place at once."""
    first, second = order
    place = getattr(last, first)
    return Q(**{f"{first}__gte": place}) & (
        Q(**{f"{first}__gt": place}) | Q(**{f"{second}__gt": getattr(last, second)})
    )


def _cells(entry: LedgerEntry) -> list[Any]:
    return [
        entry.created_at.astimezone(timezone.get_current_timezone()).isoformat(),
        entry.wallet_id,
        safe(entry.wallet.account.name),
        entry.sequence,
        entry.kind,
        entry.amount,
        entry.balance_after,
        entry.generation_id or "",
        safe(entry.reference),
        safe(entry.description),
        safe(entry.created_by.username if entry.created_by else ""),
    ]


def _text(rows: Iterable[Iterable[Any]]) -> str:
    buffer = io.StringIO()
    csv.writer(buffer).writerows(rows)
    return buffer.getvalue()
