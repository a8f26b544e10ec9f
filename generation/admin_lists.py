"""Lists of generations and orphans that are quick however many there are.

A list shows what is open and the newest ``NEWEST`` of each end, which an index has in this order;
every filter is applied to those few rows. What is older is found by a search, which is exact and
goes by an index, too. No column sorts and nothing is counted beyond ``COUNT_CAP``.
"""

from __future__ import annotations

import uuid
from functools import reduce
from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.contrib.admin import SimpleListFilter
from django.core.paginator import Paginator
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.functional import cached_property
from unfold.admin import ModelAdmin

from accounts.login import find_user
from accounts.models import Account, Membership
from generation.models import CatalogModel, Generation
from generation.states import ERROR_CODES, OPEN, TERMINAL, State

COUNT_CAP = 10_000
NEWEST = 5_000  # of each end
PAGE = 50

if TYPE_CHECKING:  # unfold has no types
    Pages = Paginator[Any]
    UnfoldPages = admin.ModelAdmin[Any]
else:
    Pages = Paginator
    UnfoldPages = ModelAdmin


class CappedPaginator(Pages):
    """Counts no further than COUNT_CAP."""

    @cached_property
    def count(self) -> int:
        """Rows, at most COUNT_CAP."""
        rows: Any = self.object_list
        return int(rows.order_by()[:COUNT_CAP].count())


class HistoryAdmin(UnfoldPages):
    """What happened is history: no page writes it, the verbs do."""

    show_full_result_count = False
    paginator = CappedPaginator
    list_per_page = PAGE
    list_max_show_all = PAGE
    sortable_by = ()
    actions: Any = None

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Never."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Never, so that every field is shown read-only."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Never."""
        return False


class StateFilter(SimpleListFilter):
    """Applied always: without a choice it keeps the list to what is open or ended lately."""

    title = "state"
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Django's hook."""
        term = request.GET.get("q", "").strip()
        self.searched = term != "" and "\0" not in term  # Django ignores such a search
        return [("open", "Open"), *((str(state), state.label) for state in State)]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Django's hook."""
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
    """Among the rows that the list shows at all."""

    title = "model"
    parameter_name = "model"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Django's hook."""
        return [(name, name) for name in CatalogModel.objects.values_list("pk", flat=True)]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Django's hook."""
        return queryset.filter(model=self.value()) if self.value() else queryset


class ErrorFilter(SimpleListFilter):
    """Among the rows that the list shows at all."""

    title = "error"
    parameter_name = "error"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Django's hook."""
        return [(code, code) for code in ERROR_CODES]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Django's hook."""
        return queryset.filter(error_code=self.value()) if self.value() else queryset


def find(generations: QuerySet[Any], term: str, prefix: str = "") -> QuerySet[Any]:
    """Those that ``term`` names exactly, each way by an index of its own.

    An id of a generation or an account, a customer's e-mail, an operation or an idempotency key;
    ``prefix`` is the way to the generation.
    """
    term = term.strip()
    try:
        found = uuid.UUID(term)
    except ValueError:
        found = None
    if found is not None and Generation.objects.filter(pk=found).exists():
        return generations.filter(**{f"{prefix}id": found})
    accounts = [found] if found is not None else _accounts_of(term)
    if accounts and Account.objects.filter(pk__in=accounts).exists():
        return generations.filter(**{f"{prefix}account__in": accounts})
    named = Q(operation_name=term) | Q(pk__in=_by_key(term))
    ids = list(Generation.objects.filter(named).values_list("pk", flat=True)[:PAGE])
    return generations.filter(**{f"{prefix}id__in": ids})


def _accounts_of(term: str) -> list[uuid.UUID]:
    """The accounts of a person's e-mail or user name."""
    user = find_user(term)
    mine = Membership.objects.filter(user=user) if user is not None else Membership.objects.none()
    return list(mine.values_list("account_id", flat=True)[:PAGE])


def _by_key(key: str) -> list[uuid.UUID]:
    """A key is unique within an account, so its index is asked for each account."""
    ours = Generation.objects.filter(account__in=Account.objects.values("pk"), idempotency_key=key)
    return list(ours.values_list("pk", flat=True)[:PAGE])


def _open() -> Q:
    return Q(state__in=OPEN, next_attempt_at__isnull=False)


def _newest(state: State) -> QuerySet[Generation, Any]:
    """By the index ``generation_finished``."""
    ended = Generation.objects.filter(state=state, finished_at__isnull=False)
    return ended.order_by("-finished_at").values("pk")[:NEWEST]
