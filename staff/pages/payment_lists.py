"""Lists of payments and of what was taken back, quick however many there are.

The newest payments, those that a person should look at and those of one account have an index each.
Any other state is looked for among the newest ``NEWEST``; a search finds the rest.
"""

from __future__ import annotations

import uuid
from typing import Any

from django.contrib.admin import SimpleListFilter
from django.db.models import Q, QuerySet
from django.http import HttpRequest

from common import ids
from common.errors import NotFound
from payments import attention
from payments.models import Payment, Reversal
from payments.models.states import UNFINISHED, State
from staff import search

NEWEST = 5_000
LOOKS = {
    "stuck": ("Stuck", attention.stuck),
    "mismatched": ("Mismatched", attention.mismatched),
    "disputed": ("Disputed", attention.disputed),
}
TEST = "test"


class LookFilter(SimpleListFilter):
    """What a person should look at, and what was no real money."""

    title = "what to look at"
    parameter_name = "look"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [*((name, title) for name, (title, _) in LOOKS.items()), (TEST, "Test mode")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        value = self.value()
        if value == TEST:
            return queryset.filter(livemode=False)
        if value in LOOKS:
            return queryset & LOOKS[value][1]()
        return queryset


class PaymentStateFilter(SimpleListFilter):
    """By an index where the state has one, else among the newest."""

    title = "state"
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        self.is_narrow = bool(request.GET.get("q") or request.GET.get("account__id__exact"))
        return [(str(state), state.label) for state in State]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        state = self.value()
        if state not in State.values:
            return queryset
        found = queryset.filter(state=state)
        if state in UNFINISHED:
            return found.filter(next_attempt_at__isnull=False)
        if self.is_narrow or state == State.MISMATCH:
            return found
        newest = Payment.objects.order_by("-created_at", "-id").values("pk")[:NEWEST]
        return found.filter(pk__in=newest)


class ReversalFilter(SimpleListFilter):
    """Disputes, all or those to answer; or refunds among the newest of both."""

    title = "kind"
    parameter_name = "kind"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("answer", "Disputes to answer"), ("dispute", "Disputes"), ("refund", "Refunds")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        value = self.value()
        if value == "answer":
            return queryset.filter(pk__in=attention.to_answer().order_by().values("pk"))
        return queryset.filter(kind=value) if value in Reversal.Kind.values else queryset


def find_payments(payments: QuerySet[Any], term: str, prefix: str = "") -> QuerySet[Any]:
    """The rows that ``term`` names exactly: a payment, one of its ids at Stripe, or an account.

    ``prefix`` leads from the row to its payment. Each way to search uses an index of its own.
    """
    term = term.strip()
    named = search.payment_ids(term)
    if not named:
        return payments.filter(**{f"{prefix}account__in": search.account_ids(term)})
    return payments.filter(**{f"{prefix}id__in": named})


def find_reversals(reversals: QuerySet[Any], term: str) -> QuerySet[Any]:
    """A refund or dispute by its own ids, or all of what ``find_payments`` finds."""
    term = term.strip()
    own = list(reversals.filter(_own(term)).values_list("pk", flat=True))
    return reversals.filter(pk__in=own) if own else find_payments(reversals, term, "payment__")


def _own(term: str) -> Q:
    try:
        found: uuid.UUID = ids.parse(term)
    except NotFound:
        return Q(provider_id=term)
    return Q(pk=found)
