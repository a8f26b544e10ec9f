"""The operators' page of refunds and disputes. A dispute is answered in Stripe's dashboard."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.timesince import timeuntil

from common import ids
from payments.models import Reversal
from payments.models.reversal import TO_ANSWER
from staff import search
from staff.pages.amounts import money
from staff.pages.base import ReadOnlyAdmin, display
from staff.pages.filters import PeriodFilter
from staff.pages.payment_lists import ReversalFilter, find_reversals
from staff.pages.row import link_to_account


@admin.register(Reversal)
class ReversalAdmin(ReadOnlyAdmin):
    """The newest first; with the filter of disputes to answer, the most urgent first."""

    list_display = (
        *("created_at", "kind_label", "payment_link", "account_link", "amount", "status"),
        *("answer_by", "taken", "reinstated_credits", "provider_id"),
    )
    list_display_links = ("created_at",)
    list_filter = (ReversalFilter, PeriodFilter)
    list_select_related = ("payment__account", "entry", "reinstated")
    search_fields = ("pk",)  # see get_search_results
    search_help_text = search.HELP
    fields = (
        *("kind_label", "provider_id", "payment_link", "account_link", "amount", "status"),
        *("answer_by", "taken", "reinstated_credits", "made_by", "created_at"),
    )
    readonly_fields = (
        *("kind_label", "payment_link", "account_link", "amount", "answer_by", "taken"),
        *("reinstated_credits", "made_by"),
    )

    def get_ordering(self, request: HttpRequest) -> tuple[str, ...]:
        """By time or by the day a dispute is lost. Both orders have an index."""
        if request.GET.get(ReversalFilter.parameter_name) == "answer":
            return ("due_by",)
        return ("-created_at", "-id")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Reversal]:
        """With what its columns show, on the page of one, too."""
        found: QuerySet[Reversal] = super().get_queryset(request)
        return found.select_related("payment__account", "entry", "reinstated", "created_by")

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        return (find_reversals(queryset, search_term) if search_term else queryset), False

    @display(description="Kind", label={"refund": "info", "dispute": "danger"})
    def kind_label(self, reversal: Reversal) -> str:
        return reversal.kind

    @display(description="Payment")
    def payment_link(self, reversal: Reversal) -> str:
        page = reverse("admin:payments_payment_change", args=[reversal.payment_id])
        known_as = ids.short(reversal.payment_id)
        return format_html('<a class="text-link" href="{}">{}</a>', page, known_as)

    @display(description="Account")
    def account_link(self, reversal: Reversal) -> str:
        return link_to_account(reversal.payment.account)

    @display(description="Amount")
    def amount(self, reversal: Reversal) -> str:
        return money(reversal.amount_minor, reversal.payment.currency)

    @display(description="Answer by")
    def answer_by(self, reversal: Reversal) -> str:
        """Until when a dispute has to be answered, while nobody has."""
        if reversal.status not in TO_ANSWER or reversal.due_by is None:
            return "–"
        day = f"{timezone.localtime(reversal.due_by):%Y-%m-%d %H:%M}"
        if reversal.due_by <= timezone.now():
            return f"{day}, which is over"
        return f"{day}, in {timeuntil(reversal.due_by, depth=1)}"

    @display(description="Credits")
    def taken(self, reversal: Reversal) -> str:
        """The credits that the ledger took back for it."""
        return "–" if reversal.entry is None else f"{reversal.entry.amount:+,}"

    @display(description="Reinstated")
    def reinstated_credits(self, reversal: Reversal) -> str:
        """The credits that came back: a dispute was won, or a refund failed."""
        return "–" if reversal.reinstated is None else f"{reversal.reinstated.amount:+,}"

    @display(description="By")
    def made_by(self, reversal: Reversal) -> str:
        return reversal.created_by.username if reversal.created_by else "Stripe"
