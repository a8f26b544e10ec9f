"""The operators' pages of payments: the list, and everything about one of them."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.timesince import timesince

from common import ids
from payments.models import Payment
from payments.models.states import State
from staff import search
from staff.pages.amounts import money, short
from staff.pages.base import display
from staff.pages.filters import PeriodFilter
from staff.pages.payment_history import history_of
from staff.pages.payment_lists import LookFilter, PaymentStateFilter, find_payments
from staff.pages.payment_verbs import VERBS
from staff.pages.verb import Verb, VerbPages

LABELS = {
    State.PAID: "success",
    State.MISMATCH: "danger",
    State.FAILED: "warning",
    State.EXPIRED: "default",
}


@admin.register(Payment)
class PaymentAdmin(VerbPages):
    """The list shows the newest; a filter or a search finds the rest. Only verbs change one."""

    list_display = (
        *("short_id", "state_label", "account_link", "pack_sold", "price", "paid", "taken_back"),
        *("age", "mode", "last_error_short"),
    )
    list_display_links = ("short_id",)
    list_filter = (LookFilter, PaymentStateFilter, PeriodFilter)
    list_select_related = ("account",)
    search_fields = ("pk",)  # see get_search_results
    search_help_text = search.HELP
    ordering = ("-created_at", "-id")
    linked_by = ("account__id__exact",)
    verbs = VERBS
    actions_detail = ("ask", "refund", "credit", "refund_mismatch")

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        return (find_payments(queryset, search_term) if search_term else queryset), False

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """What was agreed, what happened since, and what Stripe said last."""
        if request.method not in ("GET", "HEAD"):
            raise PermissionDenied
        payment: Payment = self.object_or_404(request, object_id)
        context = {
            **self.admin_site.each_context(request),
            "title": f"Payment {ids.short(payment.pk)}",
            "opts": self.opts,
            "original": payment,
            "label": LABELS.get(State(payment.state), "info"),
            "actions": self.buttons_of(request, payment),
            **history_of(payment, timezone.now()),
        }
        return TemplateResponse(request, "admin/payment_history.html", context)

    def heading_of(self, verb: Verb, target: Payment) -> str:
        """The title of the verb's page, with the payment's id."""
        return f"{verb.title}: payment {ids.short(target.pk)}"

    def account_id_of(self, obj: Payment) -> Any:
        return obj.account_id

    @display(description="Payment")
    def short_id(self, payment: Payment) -> str:
        """The part of the id that is unique enough for a list."""
        return ids.short(payment.pk)

    @display(description="State", label=LABELS)
    def state_label(self, payment: Payment) -> str:
        return payment.state

    @display(description="Account")
    def account_link(self, payment: Payment) -> str:
        page = reverse("admin:accounts_account_change", args=[payment.account_id])
        return format_html(
            '<a class="text-link" href="{}">{}</a>', page, short(payment.account.name)
        )

    @display(description="Pack")
    def pack_sold(self, payment: Payment) -> str:
        """The pack as it was sold; its row may have changed since."""
        return f"{payment.pack_id or '–'}: {payment.credits:,} credits"

    @display(description="Price")
    def price(self, payment: Payment) -> str:
        return money(payment.amount_minor, payment.currency)

    @display(description="Paid")
    def paid(self, payment: Payment) -> str:
        """With tax, and less what was discounted."""
        return money(payment.paid_minor, payment.currency)

    @display(description="Reversed")
    def taken_back(self, payment: Payment) -> str:
        """Credits, by refunds and disputes."""
        return f"{payment.reversed_credits:,}" if payment.reversed_credits else "–"

    @display(description="Ordered")
    def age(self, payment: Payment) -> str:
        return f"{timesince(payment.created_at, depth=1)} ago"

    @display(description="Mode", label={"test": "warning", "live": "default"})
    def mode(self, payment: Payment) -> str:
        """Whether the money was real."""
        return "live" if payment.livemode else "test"

    @display(description="Last error")
    def last_error_short(self, payment: Payment) -> str:
        """The beginning of the last error."""
        return payment.last_error[:60]
