"""The pages of a thing that only verbs change: its list, and one page of our own about each row."""

from __future__ import annotations

from typing import Any, ClassVar

from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.html import format_html

from staff.pages.amounts import short
from staff.pages.base import display
from staff.pages.verb import VerbPages


def link_to_account(account: Any) -> str:
    """The account's name in a list, as a link to its page."""
    page = reverse("admin:accounts_account_change", args=[account.pk])
    return format_html('<a class="text-link" href="{}">{}</a>', page, short(account.name))


class RowPages(VerbPages):
    """``template`` shows a row with what ``shown_of`` says of it, in place of Django's form."""

    template: str
    list_display_links = ("short_id",)
    list_select_related: ClassVar[tuple[str, ...]] = ("account",)
    search_fields = ("pk",)  # see get_search_results
    ordering = ("-created_at", "-id")

    def title_of(self, row: Any) -> str:
        """The title of the row's page."""
        return str(row)

    def shown_of(self, row: Any) -> dict[str, Any]:
        """What the template needs beside the title and the buttons."""
        raise NotImplementedError

    def found(self, rows: QuerySet[Any], term: str) -> QuerySet[Any]:
        """The rows that a search means."""
        raise NotImplementedError

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        return (self.found(queryset, search_term) if search_term else queryset), False

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """The page of one row, which takes no form."""
        if request.method not in ("GET", "HEAD"):
            raise PermissionDenied
        row = self.object_or_404(request, object_id)
        context = {
            **self.admin_site.each_context(request),
            "title": self.title_of(row),
            "opts": self.opts,
            "original": row,
            "actions": self.buttons_of(request, row),
            **self.shown_of(row),
        }
        return TemplateResponse(request, self.template, context)

    @display(description="Account")
    def account_link(self, row: Any) -> str:
        return link_to_account(row.account)
