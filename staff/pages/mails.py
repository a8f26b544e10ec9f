"""The operators' page of mails: to whom, of what kind, what became of it. Never what it says."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.contrib.admin import SimpleListFilter
from django.db.models import QuerySet
from django.db.models.functions import Lower
from django.http import HttpRequest
from django.utils import timezone
from django.utils.timesince import timeuntil

from common import ids
from common.errors import NotFound
from mail.kinds import Kind
from mail.models import Mail, State
from staff.pages.amounts import short
from staff.pages.base import ReadOnlyAdmin, display
from staff.pages.filters import PeriodFilter

NEWEST = 5_000  # in which a state or kind is looked for; a search finds the rest


class _AmongTheNewest(SimpleListFilter):
    choices_of: dict[str, str]

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(value, str(label)) for value, label in self.choices_of.items()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        value = self.value()
        if value not in self.choices_of:
            return queryset
        newest = Mail.objects.order_by("-created_at", "-id").values("pk")[:NEWEST]
        return queryset.filter(pk__in=newest, **{str(self.parameter_name): value})


class StateFilter(_AmongTheNewest):
    title = "state"
    parameter_name = "state"
    choices_of = {str(state): state.label for state in State}


class KindFilter(_AmongTheNewest):
    title = "kind"
    parameter_name = "kind"
    choices_of = {str(kind): kind.label for kind in Kind}


@admin.register(Mail)
class MailAdmin(ReadOnlyAdmin):
    """The newest first. Text and HTML hold codes and links: not even read from the table here."""

    list_display = ("created_at", "kind", "to", "state_label", "tries", "next_try", "error_short")
    list_display_links = ("created_at",)
    list_filter = (StateFilter, KindFilter, PeriodFilter)
    search_fields = ("pk",)  # see get_search_results
    search_help_text = "The whole e-mail address, or a mail's id (its Message-ID)"
    ordering = ("-created_at", "-id")
    fields = (
        *("id", "kind", "to", "subject", "state_label", "emulated", "created_at", "sent_at"),
        *("expires_at", "tries", "next_try", "last_error"),
    )
    readonly_fields = ("id", "state_label", "next_try")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Mail]:
        found: QuerySet[Mail] = super().get_queryset(request)
        return found.defer("text", "html")

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """By address or id, exactly; each has an index."""
        term = search_term.strip()
        if not term:
            return queryset, False
        try:
            return queryset.filter(pk=ids.parse(term.strip("<>").partition("@")[0])), False
        except NotFound:
            return queryset.alias(address=Lower("to")).filter(address=term.lower()), False

    @display(
        description="State",
        label={State.SENT: "success", State.FAILED: "danger", State.QUEUED: "info"},
    )
    def state_label(self, mail: Mail) -> str:
        return mail.state

    @display(description="Next try")
    def next_try(self, mail: Mail) -> str:
        if mail.next_attempt_at is None:
            return "–"
        if mail.next_attempt_at <= timezone.now():
            return "now"
        return f"in {timeuntil(mail.next_attempt_at, depth=1)}"

    @display(description="Error")
    def error_short(self, mail: Mail) -> str:
        return short(mail.last_error)
