"""The operators' pages about customers: their accounts and their secrets."""

from __future__ import annotations

import uuid
from typing import Any

from django.contrib import admin, messages
from django.db.models import Prefetch, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.html import format_html, format_html_join

from accounts.models import Account, ApiKey, Membership
from staff import customers, recipients, search
from staff.audited import ReadOnlyAdmin, action, display, staff_user
from staff.customer_forms import ReasonForm
from staff.customer_verbs import CustomerVerbs
from staff.customers import AlreadyDone
from staff.models import AuditEntry

MEMBERS = Prefetch("memberships", Membership.objects.select_related("user").order_by("pk"))
MORE = {"title": "More", "icon": "tune", "items": ("adjust", "limit", "resume")}
LISTS = (
    ("credits_ledgerentry", "wallet__exact", "Ledger"),
    ("generation_generation", "account__id__exact", "Generations"),
    ("accounts_apikey", "account__id__exact", "API keys"),
)


class SuspendedFilter(admin.SimpleListFilter):
    """By the index of those that are."""

    title = "state"
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Django's hook."""
        return [("suspended", "Suspended")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Django's hook."""
        return queryset.filter(suspended_at__isnull=False) if self.value() else queryset


@admin.register(Account)
class AccountAdmin(CustomerVerbs, ReadOnlyAdmin):
    """Accounts are made by registration or ``create_account``, and changed by the buttons alone."""

    list_display = (
        *("name", "emails", "balance", "open_generations", "state", "own_limits", "created_at"),
    )
    list_filter = (SuspendedFilter,)
    list_select_related = ("wallet",)
    ordering = ("-created_at",)
    search_fields = ("pk",)  # see get_search_results
    search_help_text = search.HELP
    actions_detail = ("grant", "suspend", MORE)
    readonly_fields = (
        *("balance", "open_generations", "state", "own_limits", "emails", "came", "lists"),
    )
    fieldsets = (
        (None, {"fields": ("name", "id", "created_at", "emails", "came", "lists")}),
        ("Credits and work", {"fields": ("balance", "open_generations", "own_limits")}),
        ("State", {"fields": ("state", "suspended_at", "suspended_reason", "keys_manage_keys")}),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Account]:
        """With members and wallet, two statements for a page of any length."""
        found: QuerySet[Account] = super().get_queryset(request)
        return found.select_related("wallet").prefetch_related(MEMBERS)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """Django's hook."""
        if search_term:
            queryset = queryset.filter(pk__in=search.account_ids(search_term))
        return queryset, False

    def account_id_of(self, obj: Account) -> uuid.UUID:
        """For the audit log."""
        return obj.pk

    def history_of(self, obj: Account) -> QuerySet[AuditEntry]:
        """All that is the account's: its keys and generations, too."""
        return AuditEntry.objects.filter(account_id=obj.pk)

    @display(description="E-mail")
    def emails(self, account: Account) -> str:
        """The members' addresses."""
        found = [membership.user.email for membership in account.memberships.all()]
        return ", ".join(found) or "–"

    @display(description="How they came")
    def came(self, account: Account) -> str:
        """Registered, or made by whom: an address alone proves nothing."""
        return recipients.members(account)

    @display(description="Credits")
    def balance(self, account: Account) -> str:
        """The wallet's."""
        return f"{account.wallet.balance:,}"

    @display(description="Open generations")
    def open_generations(self, account: Account) -> int:
        """Charged, and neither delivered nor refunded yet."""
        return account.wallet.open_charges

    @display(description="State", label={"suspended": "danger", "active": "success"})
    def state(self, account: Account) -> str:
        """In a colour."""
        return "active" if account.suspended_at is None else "suspended"

    @display(description="Limits of its own")
    def own_limits(self, account: Account) -> str:
        """Those that are not the settings'."""
        limits = {
            "creates a minute": account.creates_per_minute,
            "reads a minute": account.reads_per_minute,
            "open": account.wallet.max_open_charges,
        }
        own = [f"{value} {name}" for name, value in limits.items() if value is not None]
        return ", ".join(own) or "–"

    @display(description="See")
    def lists(self, account: Account) -> str:
        """What belongs to it."""
        links = (
            (f"{reverse(f'admin:{model}_changelist')}?{field}={account.pk}", title)
            for model, field, title in LISTS
        )
        return format_html_join(" · ", '<a class="underline" href="{}">{}</a>', links)


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
