"""The forms of what staff do to a generation. Each asks why."""

from __future__ import annotations

import uuid
from typing import Any

from django import forms
from unfold.widgets import UnfoldAdminRadioSelectWidget, UnfoldAdminTextareaWidget

MAX_REASON = 200


class ReasonForm(forms.Form):
    """Why, for the generation's events and the audit log."""

    reason = forms.CharField(
        max_length=MAX_REASON,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 2}),
        help_text="For the audit log; the customer does not see it.",
    )


class RetryForm(ReasonForm):
    """Who pays, too. ``token`` is the form's own name: sent twice, it orders once."""

    paid_by = forms.ChoiceField(widget=UnfoldAdminRadioSelectWidget())
    token = forms.UUIDField(widget=forms.HiddenInput(), initial=uuid.uuid4)
    field_order = ("paid_by", "reason", "token")

    def show_price(self, price: int, balance: int, *, may_grant: bool) -> None:
        """``price`` and ``balance`` in credits; the customer's credits are never the default."""
        field: Any = self.fields["paid_by"]
        field.choices = [
            ("charge", f"Charge the account {price} credits again (it has {balance})"),
        ]
        if may_grant:
            granted = f"Grant {price} credits for it: the customer pays nothing"
            field.choices = [*field.choices, ("grant", granted)]
        field.label = "Who pays?"
