"""The forms of the verbs of staff. Each asks why."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any, Self

from django import forms
from django.core.exceptions import PermissionDenied
from unfold.widgets import (
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminRadioSelectWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
    UnfoldBooleanWidget,
)

from accounts.models import Account, User
from generation import interventions
from generation.models import Generation
from staff import recipients

MAX_REASON = 200
MAX_DESCRIPTION = 200  # of a ledger entry
CONFIRM_ABOVE = 10_000  # credits
MOST_CREDITS = 1_000_000  # in one form
MOST_A_MINUTE = 100_000
MOST_OPEN = 100_000


Sent = Mapping[str, Any] | None  # None = the form has not been sent yet


class ReasonForm(forms.Form):
    """The reason, for the audit log."""

    obstacle: str | None = None  # why the verb would be refused; shown above the form

    reason = forms.CharField(
        max_length=MAX_REASON,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 2}),
        help_text="For the audit log; the customer does not see it.",
    )

    @classmethod
    def of(cls, actor: User, target: Any, sent: Sent) -> Self:
        """The form as ``actor`` sees it about ``target``."""
        return cls(sent)


class CentsField(forms.IntegerField):
    """Whole cents. Django takes 5.00 for 5, which is a hundredth of what is meant."""

    widget = UnfoldAdminIntegerFieldWidget

    def to_python(self, value: Any) -> int | None:
        """Raises ValidationError for whatever is not digits alone."""
        if value not in self.empty_values and not str(value).strip().isdecimal():
            raise forms.ValidationError("In cents, digits alone: 500 is $5.00")
        return super().to_python(value)


class OwnerForm(ReasonForm):
    """One of the account's owners. By the address, since that is what is judged."""

    email = forms.ChoiceField(label="E-mail", widget=UnfoldAdminRadioSelectWidget())
    field_order = ("email", "reason")

    @classmethod
    def of(cls, actor: User, target: Account, sent: Sent) -> Self:
        """With all owners, and how each of them came."""
        owners = [one.user for one in target.memberships.all() if one.role == one.Role.OWNER]
        form = cls(sent, initial={"email": owners[0].email} if len(owners) == 1 else {})
        field: Any = form.fields["email"]
        field.choices = [(user.email, f"{user.email}, {recipients.came(user)}") for user in owners]
        return form


class LimitsForm(ReasonForm):
    """An empty field means the default of the settings."""

    creates_per_minute = forms.IntegerField(
        required=False,
        min_value=0,
        max_value=MOST_A_MINUTE,
        widget=UnfoldAdminIntegerFieldWidget(),
        help_text="Generations a minute; empty for the default.",
    )
    reads_per_minute = forms.IntegerField(
        required=False,
        min_value=0,
        max_value=MOST_A_MINUTE,
        widget=UnfoldAdminIntegerFieldWidget(),
        help_text="Other requests a minute; empty for the default.",
    )
    max_open_charges = forms.IntegerField(
        label="Open generations",
        required=False,
        min_value=0,
        max_value=MOST_OPEN,
        widget=UnfoldAdminIntegerFieldWidget(),
        help_text="At once; empty for the default.",
    )
    field_order = ("creates_per_minute", "reads_per_minute", "max_open_charges", "reason")

    @classmethod
    def of(cls, actor: User, target: Account, sent: Sent) -> Self:
        """Filled in with the present limits."""
        now = {
            "creates_per_minute": target.creates_per_minute,
            "reads_per_minute": target.reads_per_minute,
            "max_open_charges": target.wallet.max_open_charges,
        }
        return cls(sent, initial=now)


class CreditsForm(ReasonForm):
    """An amount of credits, what the customer reads about it, and why.

    ``form`` is the form's own name: a form that is sent twice posts once.
    """

    amount = forms.IntegerField(
        min_value=1,
        max_value=MOST_CREDITS,
        widget=UnfoldAdminIntegerFieldWidget(),
        help_text=f"Credits, at most {MOST_CREDITS:,}.",
    )
    description = forms.CharField(
        max_length=MAX_DESCRIPTION,
        widget=UnfoldAdminTextInputWidget(),
        help_text="The customer reads this in their transactions.",
    )
    confirmed = forms.BooleanField(
        required=False, label="I mean this amount", widget=forms.HiddenInput()
    )
    form = forms.UUIDField(widget=forms.HiddenInput(), initial=uuid.uuid4)
    field_order = ("amount", "description", "reason", "confirmed", "form")

    def clean(self) -> dict[str, Any]:
        """Ask for a confirmation above CONFIRM_ABOVE."""
        values = super().clean() or {}
        amount = values.get("amount") or 0
        if abs(amount) > CONFIRM_ABOVE and not values.get("confirmed"):
            self.fields["confirmed"].widget = UnfoldBooleanWidget()
            self.add_error("confirmed", f"That is {amount:,} credits: tick this if you mean it")
        return values


class GrantForm(CreditsForm):
    @classmethod
    def of(cls, actor: User, target: Any, sent: Sent) -> Self:
        """With a description that fits most grants."""
        return cls(sent, initial={"description": "Credits from support"})


class AdjustForm(CreditsForm):
    amount = forms.IntegerField(
        min_value=-MOST_CREDITS,
        max_value=MOST_CREDITS,
        widget=UnfoldAdminIntegerFieldWidget(),
        help_text="Credits to add, or with a minus to take away. The balance must not end below 0:"
        " to forgive a debt, give credits.",
    )

    @classmethod
    def of(cls, actor: User, target: Any, sent: Sent) -> Self:
        """With a description that fits most corrections."""
        return cls(sent, initial={"description": "Correction"})

    def clean_amount(self) -> int:
        """Raises ValidationError for 0, which corrects nothing."""
        amount: int = self.cleaned_data["amount"]
        if amount == 0:
            raise forms.ValidationError("Must not be 0")
        return amount


class RetryForm(ReasonForm):
    """Who pays, and why. ``token`` is the form's own name: a form sent twice orders once."""

    paid_by = forms.ChoiceField(widget=UnfoldAdminRadioSelectWidget())
    token = forms.UUIDField(widget=forms.HiddenInput(), initial=uuid.uuid4)
    field_order = ("paid_by", "reason", "token")

    @classmethod
    def of(cls, actor: User, target: Generation, sent: Sent) -> Self:
        """With today's price. Nobody pays by default.

        Raises PermissionDenied for a grant by somebody who may not give any.
        """
        obstacle = interventions.why_not_retry(target)
        price = target.price if obstacle else interventions.price_today(target)
        balance = target.account.wallet.balance
        choices = {"charge": f"Charge the account {price} credits again (it has {balance})"}
        if actor.has_perm("credits.grant_credits"):
            choices["grant"] = f"Grant {price} credits for it: the customer pays nothing"
        elif sent is not None and sent.get("paid_by") == "grant":
            raise PermissionDenied
        form = cls(sent)
        form.obstacle = obstacle
        field: Any = form.fields["paid_by"]
        field.label, field.choices = "Who pays?", list(choices.items())
        return form
