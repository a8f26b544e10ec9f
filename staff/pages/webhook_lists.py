"""Lists of endpoints and deliveries, quick however many there are.

The newest have an index, and so have the deliveries of a target. Anything else is looked for among
the newest ``NEWEST``; a search, which is exact, finds the rest.
"""

from __future__ import annotations

import re
import uuid
from typing import Any

from django.contrib.admin import SimpleListFilter
from django.db.models import Q, QuerySet
from django.http import HttpRequest

from common import ids
from common.errors import NotFound
from events.models import (
    TEST,
    DeliveryState,
    DisabledReason,
    Event,
    FailedReason,
    Type,
    WebhookDelivery,
    WebhookEndpoint,
)
from generation.models import Generation
from staff import search

NEWEST = 5_000
MOST_ENDPOINTS = 500  # of one search
SHOWN = re.compile(r"(evt|dlv|we)_([0-9a-f]{32})", re.IGNORECASE)
STATES = {
    "failing": ("On, but the last attempt failed", Q(enabled=True, last_attempt_succeeded=False)),
    "on": ("On", Q(enabled=True)),
    "off": (
        "Off: its customer",
        Q(enabled=False, disabled_reason="", deleted_at__isnull=True),
    ),
    **{
        f"off_{reason}": (
            f"Off: {reason}",
            Q(enabled=False, disabled_reason=reason, deleted_at__isnull=True),
        )
        for reason in DisabledReason.values
    },
    "deleted": ("Deleted", Q(deleted_at__isnull=False)),
}


class EndpointStateFilter(SimpleListFilter):
    """Among the newest endpoints, or those that a search has found."""

    title = "state"
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        self.is_narrow = bool(request.GET.get("q"))
        return [(name, title) for name, (title, _) in STATES.items()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        value = self.value()
        if value not in STATES:
            return queryset
        found = queryset.filter(STATES[value][1])
        if self.is_narrow:
            return found
        newest = WebhookEndpoint.objects.order_by("-created_at", "-id").values("pk")[:NEWEST]
        return found.filter(pk__in=newest)


class _OfDeliveries(SimpleListFilter):
    choices_of: dict[str, str]
    column: str

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        self.is_narrow = bool(request.GET.get("q"))
        return list(self.choices_of.items())

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        value = self.value()
        if value not in self.choices_of:
            return queryset
        found = queryset.filter(**{self.column: value})
        if value == DeliveryState.PENDING:  # which has an index of its own
            return found.filter(next_attempt_at__isnull=False)
        return found if self.is_narrow else found.filter(pk__in=_newest())


class DeliveryStateFilter(_OfDeliveries):
    title = "state"
    parameter_name = "state"
    column = "state"
    choices_of = {str(state): str(state.label) for state in DeliveryState}


class ReasonFilter(_OfDeliveries):
    title = "failed because"
    parameter_name = "reason"
    column = "failed_reason"
    choices_of = {str(reason): str(reason.label) for reason in FailedReason}


class TypeFilter(_OfDeliveries):
    title = "type"
    parameter_name = "type"
    column = "event__type"
    choices_of = {each: each for each in (*Type.values, TEST)}


def find_endpoints(endpoints: QuerySet[Any], term: str) -> QuerySet[Any]:
    """The endpoint that ``term`` names exactly, or all of an account's."""
    known = SHOWN.fullmatch(term.strip())
    if known is None:
        return endpoints.filter(account__in=search.account_ids(term))
    found = uuid.UUID(known[2])
    if known[1].lower() == "dlv":
        row = WebhookDelivery.objects.filter(pk=found).values_list("endpoint_id", flat=True)
        return endpoints.filter(pk__in=list(row))
    if known[1].lower() == "evt":
        rows = WebhookDelivery.objects.filter(event=found).values_list("endpoint_id", flat=True)
        return endpoints.filter(pk__in=[each for each in rows if each])
    return endpoints.filter(pk=found)


def find_deliveries(deliveries: QuerySet[Any], term: str) -> QuerySet[Any]:
    """The deliveries that ``term`` names exactly, each way by an index of its own.

    ``term`` is an id with its prefix, a generation's, or what ``staff.search`` knows an account by.
    """
    known = SHOWN.fullmatch(term.strip())
    if known is not None:
        column = {"evt": "event", "dlv": "pk", "we": "target"}[known[1].lower()]
        return deliveries.filter(**{column: uuid.UUID(known[2])})
    generation = _generation(term)
    if generation is not None:
        told = Event.objects.filter(generation_id=generation).values_list("pk", flat=True)
        return deliveries.filter(event__in=list(told))
    return deliveries.filter(target__in=_targets(term))


def _generation(term: str) -> uuid.UUID | None:
    try:
        named = Generation.objects.filter(pk=ids.parse(term.strip()))
    except NotFound:
        return None
    return named.values_list("pk", flat=True).first()


def _targets(term: str) -> list[uuid.UUID]:
    """What deliveries of the accounts that ``term`` names are sent to."""
    accounts = search.account_ids(term)
    theirs = WebhookEndpoint.objects.filter(account__in=accounts).order_by("-created_at", "-id")
    return [*accounts, *theirs.values_list("pk", flat=True)[:MOST_ENDPOINTS]]


def _newest() -> QuerySet[WebhookDelivery, Any]:
    return WebhookDelivery.objects.order_by("-created_at", "-id").values("pk")[:NEWEST]
