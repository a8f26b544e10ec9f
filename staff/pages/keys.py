"""The operators' page of customers' API keys and login tokens."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html

from accounts.models import ApiKey
from staff import customers, search
from staff.pages.base import display
from staff.pages.verb import Verb, VerbPages


def _revoke(key: ApiKey) -> str:
    return f"{key.preview} of {key.account} stops working at once, for ever."


REVOKE = Verb(
    name="revoke",
    title="Revoke",
    explanation=_revoke,
    permission="accounts.revoke_apikey",
    do=customers.revoke_key,
    icon="key_off",
)


@admin.register(ApiKey)
class ApiKeyAdmin(VerbPages):
    """A secret's preview can be seen, and the secret revoked. Nothing else is possible."""

    verbs = (REVOKE,)

    list_display = (
        *("preview", "name", "kind", "owner", "state", "created_at", "last_used_at"),
        *("expires_at", "revoked_at"),
    )
    list_filter = ("kind",)
    list_select_related = ("account", "created_by")
    ordering = ("-created_at",)
    search_fields = ("pk",)  # see get_search_results
    search_help_text = search.HELP
    exclude = ("digest",)
    linked_by = ("account__id__exact",)
    actions_detail = ("revoke",)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """Django's hook. A preview finds the key itself, any other term the account's keys."""
        if search_term:
            queryset = search.keys(queryset, search_term)
        return queryset, False

    @display(description="Account")
    def owner(self, key: ApiKey) -> str:
        page = reverse("admin:accounts_account_change", args=[key.account_id])
        return format_html('<a href="{}">{}</a>', page, key.account.name)

    @display(
        description="State", label={"live": "success", "revoked": "danger", "expired": "warning"}
    )
    def state(self, key: ApiKey) -> str:
        if key.is_live:
            return "live"
        return "expired" if key.revoked_at is None else "revoked"
