"""Which generations a gallery shows: all of them, or those of the newest that fit the filters.

Filters are applied to the newest ``NEWEST`` of the account, as in the operators' lists: no index
has, for example, what a key made in the order of time. So a filter that fits nothing reads
``NEWEST`` rows, however many there are.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import QuerySet, TextField
from django.db.models.functions import Cast, Now
from django.http import HttpRequest

from accounts.models import Account
from console import paging, shown
from console.shown import Shown
from generation.api import lookup
from generation.models import Generation

NEWEST = 5_000
ORDER = ("created_at", "id")
TIMED = {"now": Now()}
# As a text the column fits no index. The index on it would read all that the key ever made.
MADE_WITH = {"made_with": Cast("api_key", TextField())}


@dataclass(frozen=True, slots=True)
class Listed:
    """A page of tiles. ``earlier`` and ``later`` lead to its neighbours."""

    tiles: list[Shown]
    earlier: str | None  # to older ones
    later: str | None
    is_cut: bool  # there are older ones, which the filters did not look at


def listed(request: HttpRequest, account: Account, wanted: dict[str, Any]) -> Listed:
    """A page of the account's generations, newest first; of those that fit ``wanted``, if any.

    Raises InvalidRequest for a position that no page links to.
    """
    rows = account.generations.all()
    edge = _edge(rows) if wanted else None
    if edge is not None:
        rows = rows.filter(created_at__gte=edge)
    timed: QuerySet[Generation] = rows.alias(**MADE_WITH).filter(**wanted).annotate(**TIMED)
    # to read a page by its ids costs half as much, but a status may change between two statements
    page = paging.page_of(request, timed, ORDER, None if wanted else lookup.of_ids)
    return Listed(
        tiles=[shown.of(row, account) for row in page.rows],
        earlier=page.earlier,
        later=page.later,
        is_cut=edge is not None,
    )


def _edge(rows: QuerySet[Generation]) -> datetime | None:
    """When the last of the newest ``NEWEST`` was made; None if there are fewer."""
    times = rows.order_by("-created_at", "-id").values_list("created_at", flat=True)
    return times[NEWEST - 1 : NEWEST].first()
