"""The operator's plain pages about people, accounts and secrets."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone

from accounts import keys
from accounts.models import Account, ApiKey, Membership, User

if TYPE_CHECKING:  # only the stubs' classes take parameters
    MembershipRows = admin.TabularInline[Membership, Account]
    AccountPages = admin.ModelAdmin[Account]
    ApiKeyPages = admin.ModelAdmin[ApiKey]
else:
    MembershipRows = admin.TabularInline
    AccountPages = ApiKeyPages = admin.ModelAdmin

admin.site.register(User, UserAdmin)


class MembershipInline(MembershipRows):
    """Who belongs to an account."""

    model = Membership
    extra = 0
    autocomplete_fields = ["user"]


@admin.register(Account)
class AccountAdmin(AccountPages):
    """Accounts are made by registration or ``create_account``, as they need a wallet."""

    list_display = ["name", "id", "created_at", "suspended_at", "suspended_reason"]
    list_filter = ["suspended_at"]
    search_fields = ["name", "id", "members__email__iexact"]
    readonly_fields = ["id", "created_at", "suspended_at"]
    inlines = [MembershipInline]
    actions = ["suspend", "resume"]

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Never: an account without a wallet could not be charged."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Account | None = None) -> bool:
        """Never: the ledger points to it."""
        return False

    @admin.action(description="Suspend (every request is answered 403)", permissions=["change"])
    def suspend(self, request: HttpRequest, accounts: QuerySet[Account]) -> None:
        """Refuse these accounts' requests from now on."""
        accounts.filter(suspended_at=None).update(suspended_at=timezone.now())

    @admin.action(description="Resume", permissions=["change"])
    def resume(self, request: HttpRequest, accounts: QuerySet[Account]) -> None:
        """Undo a suspension."""
        accounts.update(suspended_at=None, suspended_reason="")


@admin.register(ApiKey)
class ApiKeyAdmin(ApiKeyPages):
    """Secrets can be looked at (their previews) and ended, nothing else."""

    list_display = [
        "preview",
        "name",
        "kind",
        "account",
        "created_at",
        "last_used_at",
        "revoked_at",
    ]
    list_filter = ["kind"]
    list_select_related = ["account"]
    search_fields = ["preview", "name", "account__name"]
    exclude = ["digest"]
    actions = ["revoke"]

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Never: nobody would see its secret."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: ApiKey | None = None) -> bool:
        """Never, so that every field is shown read-only."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: ApiKey | None = None) -> bool:
        """Never: a revoked one tells who did what."""
        return False

    @admin.action(description="Revoke (they stop working at once)", permissions=["revoke"])
    def revoke(self, request: HttpRequest, found: QuerySet[ApiKey]) -> None:
        """End these secrets."""
        keys.revoke(found)

    def has_revoke_permission(self, request: HttpRequest) -> bool:
        """Django's hook for the action: whoever may change secrets, though no field of them."""
        return request.user.has_perm("accounts.change_apikey")
