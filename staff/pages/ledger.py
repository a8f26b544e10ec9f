"""The operators' page of the ledger, to look at and to export. Only credits/ledger.py writes."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from itertools import chain
from typing import Any

from django.contrib import admin
from django.contrib.admin.options import IncorrectLookupParameters
from django.core.exceptions import BadRequest, PermissionDenied
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponseBase, StreamingHttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html

from common import ids
from common.errors import NotFound
from credits import export
from credits.models import LedgerEntry
from generation.models import Generation
from payments.models import Payment, Reversal
from staff import audit, search
from staff.pages.base import ReadOnlyAdmin, action, display, staff_user
from staff.pages.filters import PeriodFilter

KINDS = {
    "purchase": "success",
    "grant": "info",
    "charge": "default",
    "refund": "warning",
    "adjustment": "danger",
    "reversal": "danger",
    "reinstated": "success",
}
# whose id a reference has behind its colon
PAGES = {"stripe": "payments_payment", "reversal": "payments_reversal"}


@admin.register(LedgerEntry)
class LedgerEntryAdmin(ReadOnlyAdmin):
    """Entries never change.

    ``?wallet__exact=<account id>`` or a search shows the entries of one account, by number.
    """

    list_display = (
        *("created_at", "account", "sequence", "kind_label", "amount", "balance_after"),
        *("subject", "description", "created_by"),
    )
    list_filter = ("kind", PeriodFilter)
    list_select_related = ("wallet__account", "created_by")
    search_fields = ("pk",)  # see get_search_results
    search_help_text = f"{search.HELP}; a payment's reference"
    actions_list = ("export_csv",)
    linked_by = ("wallet__exact",)

    def get_ordering(self, request: HttpRequest) -> tuple[str, ...]:
        """All accounts by time, or one account by number. Both orders have an index."""
        return ("-sequence",) if _is_about_one(request) else ("-created_at",)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        return (find(queryset, search_term) if search_term else queryset), False

    @display(description="Account", ordering=None)
    def account(self, entry: LedgerEntry) -> str:
        page = reverse("admin:accounts_account_change", args=[entry.wallet_id])
        return format_html('<a href="{}">{}</a>', page, entry.wallet.account.name)

    @display(description="Kind", label=KINDS)
    def kind_label(self, entry: LedgerEntry) -> str:
        return entry.kind

    @display(description="For")
    def subject(self, entry: LedgerEntry) -> str:
        """The generation, payment or reversal that the entry is for, with a link."""
        model, _, known_as = (entry.reference or "").partition(":")
        page, name = PAGES.get(model, ""), known_as
        if entry.generation_id is not None:
            page, name = "generation_generation", str(entry.generation_id)
        try:
            found = ids.parse(name)
        except NotFound:  # a reference of somebody else's making
            return "–"
        if not page:
            return "–"
        link = reverse(f"admin:{page}_change", args=[found])
        return format_html('<a href="{}">{}</a>', link, ids.short(found))

    def has_export_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """unfold's hook for the button ``export_csv``."""
        return request.user.has_perm("credits.export_ledger")

    @action(description="Export CSV", permissions=["export"], url_path="export", icon="download")
    def export_csv(self, request: HttpRequest) -> HttpResponseBase:
        """Stream the filtered entries, and record the export."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        try:
            rows = self.get_changelist_instance(request).queryset.order_by()
        except IncorrectLookupParameters as error:
            raise BadRequest from error
        with transaction.atomic():
            filters = {name: value for name, value in request.GET.items() if value}
            audit.record_bare(
                staff_user(request),
                "export_ledger",
                target_type="credits.ledgerentry",
                changes=filters,
            )
        name = f"ledger-{timezone.now():%Y%m%d-%H%M%S}.csv"
        headers = {"Content-Disposition": f'attachment; filename="{name}"'}
        order = export.BY_ACCOUNT if _is_about_one(request) else export.BY_TIME
        lines: Iterator[str] = export.lines(rows, order)
        return StreamingHttpResponse(lines, content_type="text/csv; charset=utf-8", headers=headers)


def find(entries: QuerySet[LedgerEntry], term: str) -> QuerySet[LedgerEntry]:
    """The entries of a generation, a payment, an account, or a payment's reference."""
    term = term.strip()
    named = search.payment_ids(term)
    if named:
        return entries.filter(pk__in=_of_payments(named))
    try:
        generation = Generation.objects.filter(pk=ids.parse(term)).first()
    except NotFound:
        generation = None
    if generation is not None:
        return entries.filter(pk__in=[generation.charge_id, generation.refund_id])
    accounts = search.account_ids(term)
    if accounts:
        return entries.filter(wallet_id__in=accounts)
    return entries.filter(kind__in=LedgerEntry.Kind.values, reference=term)


def _of_payments(named: list[uuid.UUID]) -> list[uuid.UUID]:
    """The purchases, and what was taken back of them or reinstated."""
    bought = Payment.objects.filter(pk__in=named).values_list("purchase_id", flat=True)
    taken = Reversal.objects.filter(payment__in=named).values_list("entry_id", "reinstated_id")
    return [each for each in (*bought, *chain.from_iterable(taken)) if each is not None]


def _is_about_one(request: HttpRequest) -> bool:
    return bool(request.GET.get("q") or request.GET.get("wallet__exact"))
