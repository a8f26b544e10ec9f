"""The operator's plain pages about money: to look at, since only the ledger's verbs write."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.forms import ModelForm
from django.http import HttpRequest

from credits.models import LedgerEntry, Wallet

if TYPE_CHECKING:  # only the stubs' classes take parameters
    WalletPages = admin.ModelAdmin[Wallet]
    EntryPages = admin.ModelAdmin[LedgerEntry]
else:
    WalletPages = EntryPages = admin.ModelAdmin


@admin.register(Wallet)
class WalletAdmin(WalletPages):
    """Only the limit of open charges can be changed here; ``grant_credits`` gives credits."""

    list_display = ["account", "balance", "sequence", "open_charges", "max_open_charges"]
    list_select_related = ["account"]
    search_fields = ["account__name", "account__id"]
    readonly_fields = ["account", "balance", "sequence", "open_charges"]

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Never: an account is born with its wallet."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Wallet | None = None) -> bool:
        """Never: the ledger explains it."""
        return False

    def save_model(
        self, request: HttpRequest, obj: Wallet, form: ModelForm[Wallet], change: bool
    ) -> None:
        """Write the one column: the others have moved on since the page was shown."""
        obj.save(update_fields=["max_open_charges"])


@admin.register(LedgerEntry)
class LedgerEntryAdmin(EntryPages):
    """Entries never change."""

    list_display = [
        "wallet_id",
        "sequence",
        "kind",
        "amount",
        "balance_after",
        "description",
        "created_at",
    ]
    list_filter = ["kind"]
    search_fields = ["wallet__account__id", "generation_id", "reference__exact"]
    search_help_text = "The id of an account or a generation, or a payment's reference"
    ordering = ["-created_at"]
    show_full_result_count = False  # counting millions of them takes longer than showing a page

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Never."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Never, so that every field is shown read-only."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Never."""
        return False
