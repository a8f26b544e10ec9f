"""The operators' page of customers' accounts."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import Prefetch, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html_join

from accounts.models import Account, Membership
from staff import recipients, search
from staff.models import AuditEntry
from staff.pages.account_verbs import VERBS
from staff.pages.base import display
from staff.pages.verb import VerbPages

MEMBERS = Prefetch("memberships", Membership.objects.select_related("user").order_by("pk"))
MORE = {
    "title": "More",
    "icon": "tune",
    "items": ("adjust", "limit", "resume", "release", "verify_email", "unverify_email"),
}
LISTS = (
    ("credits_ledgerentry", "wallet__exact", "Ledger"),
    ("payments_payment", "account__id__exact", "Payments"),
    ("generation_generation", "account__id__exact", "Generations"),
    ("accounts_apikey", "account__id__exact", "API keys"),
    ("events_webhookendpoint", "q", "Webhook endpoints"),
    ("events_webhookdelivery", "q", "Webhook deliveries"),
)
STATE = ("state", "suspended_at", "suspended_reason", "payment_hold", "keys_manage_keys")


class SuspendedFilter(admin.SimpleListFilter):
    """The suspended accounts have an index of their own."""

    title = "state"
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("suspended", "Suspended")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(suspended_at__isnull=False) if self.value() else queryset


@admin.register(Account)
class AccountAdmin(VerbPages):
    """Accounts are made by registration or ``create_account``. Only the verbs change them."""

    verbs = VERBS

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
        "payment_hold",
    )
    fieldsets = (
        (None, {"fields": ("name", "id", "created_at", "emails", "came", "lists")}),
        ("Credits and work", {"fields": ("balance", "open_generations", "own_limits")}),
        ("State", {"fields": STATE}),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Account]:
        """With wallets and members, in two statements for a page of any length."""
        found: QuerySet[Account] = super().get_queryset(request)
        return found.select_related("wallet").prefetch_related(MEMBERS)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        if search_term:
            queryset = queryset.filter(pk__in=search.account_ids(search_term))
        return queryset, False

    def history_of(self, obj: Account) -> QuerySet[AuditEntry]:
        """All entries of the account, with those of its keys and generations."""
        return AuditEntry.objects.filter(account_id=obj.pk)

    @display(description="E-mail")
    def emails(self, account: Account) -> str:
        found = [membership.user.email for membership in account.memberships.all()]
        return ", ".join(found) or "–"

    @display(description="How they came")
    def came(self, account: Account) -> str:
        """How each member came to be: an e-mail address alone proves nothing."""
        return recipients.members(account)

    @display(description="Credits")
    def balance(self, account: Account) -> str:
        """With what was ever taken back, which alone explains one below 0."""
        wallet = account.wallet
        taken = f" ({wallet.reversed:,} taken back)" if wallet.reversed else ""
        return f"{wallet.balance:,}{taken}"

    @display(description="Open generations")
    def open_generations(self, account: Account) -> int:
        """Generations that are neither delivered nor refunded yet."""
        return account.wallet.open_charges

    @display(description="State", label={"suspended": "danger", "active": "success"})
    def state(self, account: Account) -> str:
        return "active" if account.suspended_at is None else "suspended"

    @display(description="May buy credits")
    def payment_hold(self, account: Account) -> str:
        """Whether a dispute keeps the account from buying, since when and why."""
        if account.payment_hold_at is None:
            return "yes"
        since = f"{timezone.localtime(account.payment_hold_at):%Y-%m-%d %H:%M}"
        return f"no, on hold since {since}: {account.payment_hold_reason or 'no reason was given'}"

    @display(description="Limits of its own")
    def own_limits(self, account: Account) -> str:
        """The limits that differ from the settings."""
        limits = {
            "creates a minute": account.creates_per_minute,
            "reads a minute": account.reads_per_minute,
            "open": account.wallet.max_open_charges,
        }
        own = [f"{value} {name}" for name, value in limits.items() if value is not None]
        return ", ".join(own) or "–"

    @display(description="See")
    def lists(self, account: Account) -> str:
        links = (
            (f"{reverse(f'admin:{model}_changelist')}?{field}={account.pk}", title)
            for model, field, title in LISTS
        )
        return format_html_join(" · ", '<a class="underline" href="{}">{}</a>', links)
