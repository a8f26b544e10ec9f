"""Lists of generations and orphans that are quick however many there are.

A list shows what is open, and the newest ``NEWEST`` of each terminal state, by an index. Filters
are applied to those few rows. Older rows are found by a search, which is exact and uses an index.
"""

from __future__ import annotations

import uuid
from functools import reduce
from typing import Any

from django.contrib.admin import SimpleListFilter
from django.db.models import Q, QuerySet
from django.http import HttpRequest

from accounts.models import Account
from common import ids
from common.errors import NotFound
from generation.models import CatalogModel, Generation
from generation.models.states import ERROR_CODES, OPEN, TERMINAL, State
from staff import search
from staff.pages.base import PAGE

NEWEST = 5_000  # of each terminal state


class StateFilter(SimpleListFilter):
    """Without a choice, too, it keeps the list to what is open or ended lately."""

    title = "state"
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        term = request.GET.get("q", "").strip()
        self.searched = term != "" and "\0" not in term  # Django ignores such a search
        return [("open", "Open"), *((str(state), state.label) for state in State)]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        state = self.value()
        if state in OPEN:
            return queryset.filter(state=state, next_attempt_at__isnull=False)
        if state == "open":
            return queryset.filter(_open())
        if self.searched:
            return queryset.filter(state=state) if state in TERMINAL else queryset
        if state in TERMINAL:
            return queryset.filter(pk__in=_newest(State(state)))
        several = [Generation.objects.filter(_open()).values("pk"), *map(_newest, TERMINAL)]
        everything = reduce(lambda one, other: one.union(other, all=True), several)
        return queryset.filter(pk__in=everything)


class ModelFilter(SimpleListFilter):
    """Applied to the rows that StateFilter leaves."""

    title = "model"
    parameter_name = "model"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(name, name) for name in CatalogModel.objects.values_list("pk", flat=True)]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(model=self.value()) if self.value() else queryset


class ErrorFilter(SimpleListFilter):
    """Applied to the rows that StateFilter leaves."""

    title = "error"
    parameter_name = "error"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(code, code) for code in ERROR_CODES]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(error_code=self.value()) if self.value() else queryset


def find(generations: QuerySet[Any], term: str, prefix: str = "") -> QuerySet[Any]:
    """The rows that ``term`` names exactly. Each way to search uses an index of its own.

    ``term`` is a generation's id, operation or idempotency key, or what ``staff.search`` knows an
    account by. ``prefix`` leads from the row to its generation.
    """
    term = term.strip()
    named = Generation.objects.filter(_named(term))
    found = list(named.values_list("pk", flat=True)[:PAGE]) or _by_key(term)
    if found:
        return generations.filter(**{f"{prefix}id__in": found})
    return generations.filter(**{f"{prefix}account__in": search.account_ids(term)})


def _named(term: str) -> Q:
    """The condition on id or operation."""
    try:
        return Q(pk=ids.parse(term))
    except NotFound:
        return Q(operation_name=term)


def _by_key(key: str) -> list[uuid.UUID]:
    """The index begins with the account, so it is asked for each account."""
    ours = Generation.objects.filter(account__in=Account.objects.values("pk"), idempotency_key=key)
    return list(ours.values_list("pk", flat=True)[:PAGE])


def _open() -> Q:
    return Q(state__in=OPEN, next_attempt_at__isnull=False)


def _newest(state: State) -> QuerySet[Generation, Any]:
    """The newest rows of a terminal state, by the index ``generation_finished``."""
    ended = Generation.objects.filter(state=state, finished_at__isnull=False)
    return ended.order_by("-finished_at").values("pk")[:NEWEST]
