"""The operators' page of packs: what customers can buy."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest
from unfold.widgets import UnfoldAdminIntegerFieldWidget, UnfoldBooleanWidget

from payments.models import CreditPack
from staff.pages.amounts import money
from staff.pages.base import StaffAdmin, display
from staff.pages.forms import MOST_CREDITS, CentsField, ReasonForm

LEAST_MINOR, MOST_MINOR = 50, 10_000_000  # Stripe takes no less than $0.50
MOST_POSITION = 1000
DISCOUNT = 10  # percent; what is left of a larger one does not pay for the standard model

if TYPE_CHECKING:  # the class takes a parameter in the stubs alone
    ModelForm = forms.ModelForm[CreditPack]
else:
    ModelForm = forms.ModelForm


class PackForm(ModelForm, ReasonForm):
    """What a pack holds and costs, and why that changes.

    Of a name, credits and price the price is the one that is easily a hundred times too low: it is
    in cents. So whatever is far from a cent a credit has to be confirmed.
    """

    credits = forms.IntegerField(
        min_value=1, max_value=MOST_CREDITS, widget=UnfoldAdminIntegerFieldWidget()
    )
    amount_minor = CentsField(
        label="Price",
        min_value=LEAST_MINOR,
        max_value=MOST_MINOR,
        help_text="In cents, without tax: 2500 is $25.00.",
    )
    position = forms.IntegerField(
        min_value=0,
        max_value=MOST_POSITION,
        widget=UnfoldAdminIntegerFieldWidget(),
        help_text="Where it stands among the packs; the lowest is first.",
    )
    confirmed = forms.BooleanField(
        required=False, label="I mean this price", widget=forms.HiddenInput()
    )

    class Meta:
        model = CreditPack
        fields = ("name", "credits", "amount_minor", "enabled", "position")

    def __init__(self, *args: Any, **named: Any) -> None:
        super().__init__(*args, **named)
        self.fields["reason"].help_text = "Why, for the audit log."  # it is about no customer

    @property
    def changed_data(self) -> list[str]:
        """The columns that change; reason and tick are none."""
        return [name for name in super().changed_data if name not in ("reason", "confirmed")]

    def clean(self) -> dict[str, Any]:
        """Ask for a confirmation of a price that is unlike the others."""
        values = super().clean() or {}
        holds, price = values.get("credits"), values.get("amount_minor")
        if holds and price and not values.get("confirmed"):
            strange = price > holds or price * 100 < holds * (100 - DISCOUNT)
            if strange:
                self.fields["confirmed"].widget = UnfoldBooleanWidget()
                told = f"{holds:,} credits for {money(price, self.instance.currency)}"
                self.add_error("confirmed", f"That is {told}: tick this if you mean it")
        return values


@admin.register(CreditPack)
class CreditPackAdmin(StaffAdmin):
    """A change is in force at once, and changes nothing of what was sold.

    A pack is never deleted, since payments point to it. It is switched off instead.
    """

    form = PackForm
    list_display = ("name", "holds", "price", "of_a_credit", "enabled", "position")
    ordering = ("position", "name")

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Unlike a model of the catalog, a pack needs nothing but its row."""
        return request.user.has_perm("payments.add_creditpack")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        """The name is what clients send, so it stays."""
        return () if obj is None else ("name",)

    def get_fieldsets(self, request: HttpRequest, obj: CreditPack | None = None) -> Any:
        """Without the reason for a person who may not change anything."""
        sold = ("name", "credits", "amount_minor", "enabled", "position")
        if not (self.has_change_permission(request, obj) or self.has_add_permission(request)):
            return [(None, {"fields": ("name", "holds", "price", "enabled", "position")})]
        return [(None, {"fields": sold}), ("Why", {"fields": ("reason", "confirmed")})]

    @display(description="Credits")
    def holds(self, pack: CreditPack) -> str:
        return f"{pack.credits:,}"

    @display(description="Price")
    def price(self, pack: CreditPack) -> str:
        return money(pack.amount_minor, pack.currency)

    @display(description="100 credits cost")
    def of_a_credit(self, pack: CreditPack) -> str:
        """Rounded to a cent: what a customer compares."""
        return money((pack.amount_minor * 100 + pack.credits // 2) // pack.credits, pack.currency)
