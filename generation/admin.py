"""The operator's plain pages about generations, which are to look at."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html

from generation.models import Attempt, Generation, GenerationEvent, Orphan

if TYPE_CHECKING:  # only the stubs' classes take parameters
    GenerationPages = admin.ModelAdmin[Generation]
    OrphanPages = admin.ModelAdmin[Orphan]
    AttemptRows = admin.TabularInline[Attempt, Generation]
    EventRows = admin.TabularInline[GenerationEvent, Generation]
else:
    GenerationPages = OrphanPages = admin.ModelAdmin
    AttemptRows = EventRows = admin.TabularInline


class ReadOnly:
    """What happened is history: no page writes it, ``generation/lifecycle.py`` does."""

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Never."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Never, so that every field is shown read-only."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Never."""
        return False


class AttemptInline(ReadOnly, AttemptRows):
    """Every time the provider was asked."""

    model = Attempt
    extra = 0


class EventInline(ReadOnly, EventRows):
    """What happened, in order."""

    model = GenerationEvent
    extra = 0


@admin.register(Generation)
class GenerationAdmin(ReadOnly, GenerationPages):
    """Generations with all that was tried for them."""

    list_display = ["id", "account", "model", "state", "price", "error_code", "created_at"]
    list_filter = ["state", "model", "error_code"]
    list_select_related = ["account", "model"]
    search_fields = ["id", "account__id", "operation_name__exact", "idempotency_key__exact"]
    search_help_text = "The id of a generation or an account, an operation or an idempotency key"
    exclude = ["request_sha256"]
    ordering = ["-created_at"]
    show_full_result_count = False  # counting millions of them takes longer than showing a page
    inlines = [AttemptInline, EventInline]


@admin.register(Orphan)
class OrphanAdmin(ReadOnly, OrphanPages):
    """Outputs that were paid for and reach no customer; ``list_orphans`` prints the same."""

    list_display = [
        *("uri", "generation", "attempt__number", "attempt__generation__model"),
        *("attempt__generation__account", "found_at", "note"),
    ]
    list_filter = ["found_at", "attempt__generation__model"]
    list_select_related = ["attempt__generation__account", "attempt__generation__model"]
    search_fields = ["attempt__generation__id", "attempt__generation__account__id", "uri"]
    search_help_text = "The id of a generation or an account, or a part of the address"
    ordering = ["-found_at"]

    @admin.display(ordering="attempt__generation")
    def generation(self, orphan: Orphan) -> str:
        """Whose output it would have been, with a link to what happened."""
        page = reverse("admin:generation_generation_change", args=[orphan.attempt.generation_id])
        return format_html('<a href="{}">{}</a>', page, orphan.attempt.generation_id)
