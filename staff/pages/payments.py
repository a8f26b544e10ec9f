"""The operators' pages of payments: the list, and everything about one of them."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.timesince import timesince

from common import ids
from payments.models import Payment
from payments.models.states import State
from staff import search
from staff.pages.amounts import money
from staff.pages.base import display
from staff.pages.filters import PeriodFilter
from staff.pages.payment_history import history_of
from staff.pages.payment_lists import LookFilter, PaymentStateFilter, find_payments
from staff.pages.payment_verbs import VERBS
from staff.pages.row import RowPages
from staff.pages.verb import Verb

LABELS = {
    State.PAID: "success",
    State.MISMATCH: "danger",
    State.FAILED: "warning",
    State.EXPIRED: "default",
}


@admin.register(Payment)
class PaymentAdmin(RowPages):
    """The list shows the newest; a filter or a search finds the rest. Only verbs change one."""

    list_display = (
        *("short_id", "state_label", "account_link", "pack_sold", "price", "paid", "taken_back"),
        *("age", "mode", "last_error_short"),
    )
    list_filter = (LookFilter, PaymentStateFilter, PeriodFilter)
    search_help_text = search.HELP
    linked_by = ("account__id__exact",)
    template = "admin/payment_history.html"
    verbs = VERBS
    actions_detail = ("ask", "refund", "credit", "refund_mismatch")

    def title_of(self, row: Payment) -> str:
        return f"Payment {ids.short(row.pk)}"

    def found(self, rows: QuerySet[Any], term: str) -> QuerySet[Any]:
        return find_payments(rows, term)

    def shown_of(self, row: Payment) -> dict[str, Any]:
        """What was agreed, what happened since, and what Stripe said last."""
        return {"label": LABELS.get(State(row.state), "info"), **history_of(row, timezone.now())}

    def heading_of(self, verb: Verb, target: Payment) -> str:
        """The title of the verb's page, with the payment's id."""
        return f"{verb.title}: payment {ids.short(target.pk)}"

    @display(description="Payment")
    def short_id(self, payment: Payment) -> str:
        """The part of the id that is unique enough for a list."""
        return ids.short(payment.pk)

    @display(description="State", label=LABELS)
    def state_label(self, payment: Payment) -> str:
        return payment.state

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
