"""The operators' page of orphans: outputs that were paid for and reach no customer."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html

from common import ids
from generation.models import Orphan
from staff import search
from staff.pages.base import ReadOnlyAdmin
from staff.pages.generation_lists import find


@admin.register(Orphan)
class OrphanAdmin(ReadOnlyAdmin):
    """The newest first. ``manage.py list_orphans`` prints the same."""

    list_display = ("found_at", "generation", "account", "sold", "attempt_number", "note", "uri")
    list_display_links = ("found_at",)
    list_select_related = ("attempt__generation__account",)
    search_fields = ("pk",)  # see get_search_results
    search_help_text = f"{search.HELP}; an operation or an idempotency key"
    ordering = ("-id",)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        found = find(queryset, search_term, "attempt__generation__") if search_term else queryset
        return found, False

    @admin.display
    def generation(self, orphan: Orphan) -> str:
        """The generation that the output would have been of, with a link."""
        page = reverse("admin:generation_generation_change", args=[orphan.attempt.generation_id])
        short = ids.short(orphan.attempt.generation_id)
        return format_html('<a class="text-link" href="{}">{}</a>', page, short)

    @admin.display
    def account(self, orphan: Orphan) -> str:
        """The account of the generation, with a link."""
        account = orphan.attempt.generation.account
        page = reverse("admin:accounts_account_change", args=[account.pk])
        return format_html('<a class="text-link" href="{}">{}</a>', page, account.name)

    @admin.display(description="Model")
    def sold(self, orphan: Orphan) -> str:
        return orphan.attempt.generation.model_id

    @admin.display(description="Attempt")
    def attempt_number(self, orphan: Orphan) -> int:
        """The number of the attempt that made it."""
        return orphan.attempt.number
