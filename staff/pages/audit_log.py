"""The operators' page of the audit log."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.utils.safestring import SafeString

from accounts.login import find_user
from common import ids
from common.errors import NotFound
from staff.models import AuditEntry
from staff.pages.base import ReadOnlyAdmin, display
from staff.pages.filters import ActionFilter, ActorFilter


@admin.register(AuditEntry)
class AuditEntryAdmin(ReadOnlyAdmin):
    """What staff did, newest first."""

    list_display = ("created_at", "who", "action", "target", "account_id", "reason")
    list_filter = (ActionFilter, ActorFilter)
    list_select_related = ("actor",)
    ordering = ("-id",)
    search_fields = ("pk",)  # see get_search_results
    search_help_text = "An action, who did it (e-mail or user name), or the id of what it was about"
    fields = (
        *("created_at", "who", "action", "target_type", "target_id", "account_id", "reason"),
        *("changed", "request_id"),
    )
    readonly_fields = ("who", "changed")

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """Django's hook. Only exact matches by an index are searched."""
        return (_find(queryset, search_term.strip()) if search_term else queryset), False

    @display(description="Who")
    def who(self, entry: AuditEntry) -> str:
        """The actor; a dash for a command, and for a log-in with an unknown name."""
        return str(entry.actor or "–")

    @display(description="Of what")
    def target(self, entry: AuditEntry) -> str:
        return f"{entry.target_type.rpartition('.')[2]} {entry.target_id}".strip() or "–"

    @display(description="Changes")
    def changed(self, entry: AuditEntry) -> SafeString:
        return render_to_string("admin/audit_changes.html", {"changes": entry.changes})


def _find(entries: QuerySet[Any], term: str) -> QuerySet[Any]:
    try:
        found = ids.parse(term)
    except NotFound:
        user = find_user(term)
        if user is not None:
            return entries.filter(actor=user)
        return entries.filter(action=term.lower().replace(" ", "_"))
    about = Q(account_id=found) | Q(target_id=str(found), target_type__in=TYPES)
    return entries.filter(about)


# The index on (type, id) can only be used with the type.
TYPES = (
    *("accounts.account", "accounts.apikey", "accounts.user", "generation.generation"),
    *("generation.orphan", "generation.attempt"),
    *("events.webhookendpoint", "events.webhookdelivery"),
)
