"""The operators' page of customers' secrets: how each looks and whether it lives."""

from __future__ import annotations

import uuid
from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.html import format_html

from accounts.models import ApiKey
from staff import customers, search
from staff.customers import AlreadyDone
from staff.pages.base import ReadOnlyAdmin, action, display, staff_user
from staff.pages.forms import ReasonForm


@admin.register(ApiKey)
class ApiKeyAdmin(ReadOnlyAdmin):
    """Secrets can be looked at (their previews) and ended, nothing else."""

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
        """A preview finds the key itself, everything else the account's keys."""
        if search_term:
            queryset = search.keys(queryset, search_term)
        return queryset, False

    def account_id_of(self, obj: ApiKey) -> uuid.UUID:
        """For the audit log."""
        return obj.account_id

    @display(description="Account")
    def owner(self, key: ApiKey) -> str:
        """Whose, with a link."""
        page = reverse("admin:accounts_account_change", args=[key.account_id])
        return format_html('<a href="{}">{}</a>', page, key.account.name)

    @display(
        description="State", label={"live": "success", "revoked": "danger", "expired": "warning"}
    )
    def state(self, key: ApiKey) -> str:
        """In a colour."""
        if key.is_live:
            return "live"
        return "expired" if key.revoked_at is None else "revoked"

    def has_revoke_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """unfold's hook for the button."""
        return request.user.has_perm("accounts.revoke_apikey")

    @action(description="Revoke", permissions=["revoke"], url_path="revoke", icon="key_off")
    def revoke(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """End it: from its next request on it is answered 401."""
        key: ApiKey = self.object_or_404(request, object_id)
        form = ReasonForm(request.POST or None)
        if not form.is_valid():
            explanation = f"{key.preview} of {key.account} stops working at once, for ever."
            return self.verb_page(request, key, form, "Revoke", explanation)
        try:
            customers.revoke_key(staff_user(request), key, form.cleaned_data["reason"])
            messages.success(request, f"{key.preview} is revoked.")
        except AlreadyDone:
            messages.warning(request, f"{key.preview} was revoked before.")
        return redirect("admin:accounts_apikey_change", object_id)
