"""Filters of the operators' lists. To offer their choices costs no scan of a table."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.contrib.admin import SimpleListFilter
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone

from accounts.models import User
from common import ids
from common.errors import NotFound
from staff import audit

MOST_STAFF = 200
DAYS = {"1": "24 hours", "7": "7 days", "31": "31 days", "92": "92 days"}


class PeriodFilter(SimpleListFilter):
    """Uses the index on ``created_at``."""

    title = "period"
    parameter_name = "days"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(days, f"Last {text}") for days, text in DAYS.items()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any] | None:
        days = self.value()
        if days not in DAYS:
            return queryset
        return queryset.filter(created_at__gte=timezone.now() - timedelta(days=int(days)))


class ActionFilter(SimpleListFilter):
    """Uses the index on the action. The choices are code: DISTINCT would read the whole table."""

    title = "action"
    parameter_name = "action"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(name, name.replace("_", " ").capitalize()) for name in audit.ACTIONS]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(action=self.value()) if self.value() else queryset


class ActorFilter(SimpleListFilter):
    """Uses the index on the actor. The choices are all staff, who are few."""

    title = "who"
    parameter_name = "who"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        staff = User.objects.filter(is_staff=True).order_by("username")[:MOST_STAFF]
        return [(str(user.pk), user.username) for user in staff]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Django's hook. The value may be any text, since it stands in the address."""
        if not self.value():
            return queryset
        try:
            return queryset.filter(actor_id=ids.parse(str(self.value())))
        except NotFound:
            return queryset.none()
