"""Which generations a gallery shows: pages of all of them, or of what filters leave of the newest.

Filters are applied to the newest ``NEWEST`` of the account, as in the operators' lists: what a key
made, say, has no index in the order of time. So a filter that fits nothing costs ``NEWEST`` rows,
however many there are.
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
# As a text it has no index. By its own all that the key ever made would be read.
MADE_WITH = {"made_with": Cast("api_key", TextField())}


@dataclass(frozen=True, slots=True)
class Listed:
    """A page of tiles. ``earlier`` and ``later`` lead to its neighbours."""

    tiles: list[Shown]
    earlier: str | None  # to older ones
    later: str | None
    is_cut: bool  # the filters did not look at all that there is


def listed(request: HttpRequest, account: Account, wanted: dict[str, Any]) -> Listed:
    """A page of the account's generations, newest first; with ``wanted`` of those that fit it.

    Raises InvalidRequest for a position that no page leads to.
    """
    rows = account.generations.all()
    edge = _edge(rows) if wanted else None
    if edge is not None:
        rows = rows.filter(created_at__gte=edge)
    timed: QuerySet[Generation] = rows.alias(**MADE_WITH).filter(**wanted).annotate(**TIMED)
    # by its ids a page costs half as much, but between two statements a status may change
    page = paging.page_of(request, timed, ORDER, None if wanted else lookup.of_ids)
    return Listed(
        tiles=[shown.of(row, account) for row in page.rows],
        earlier=page.earlier,
        later=page.later,
        is_cut=edge is not None,
    )


def _edge(rows: QuerySet[Generation]) -> datetime | None:
    """When the last of the newest was made; None while there are fewer."""
    times = rows.order_by("-created_at", "-id").values_list("created_at", flat=True)
    return times[NEWEST - 1 : NEWEST].first()
