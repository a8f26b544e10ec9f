"""The buttons of an account's page: each shows a form, calls one verb and says what happened."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from accounts.models import Account, User
from credits.ledger import LedgerRefusal, Posted
from credits.models import Wallet
from staff import customers, recipients
from staff.customers import AlreadyDone, Credits, Limits
from staff.pages.base import StaffAdmin, action, staff_user
from staff.pages.forms import AdjustForm, CreditsForm, LimitsForm, ReasonForm

if TYPE_CHECKING:
    Base = StaffAdmin
else:
    Base = object

SUSPEND = (
    "Every request with a key of {name} is answered 403 account_suspended from now on. What it has"
    " ordered is finished, and what fails is refunded."
)
RESUME = "The keys of {name} work again, all that were not revoked."
GRANT = (
    "{name} has {balance:,} credits. What you give is theirs at once; it is not a payment. Who it"
    " is: {came}."
)
ADJUST = "{name} has {balance:,} credits. This corrects a mistake, in either direction."
LIMIT = "What {name} may do. In force from its next request on; what is open stays open."
TWICE = "This form was sent before; nothing was posted this time."


class CustomerVerbs(Base):
    """For AccountAdmin; one permission a button, two for the pair of suspend and resume."""

    def has_suspend_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """unfold's hook for the button."""
        return request.user.has_perm("accounts.suspend_account")

    def has_limit_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """unfold's hook for the button."""
        return request.user.has_perm("accounts.limit_account")

    def has_grant_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """unfold's hook for the button."""
        return request.user.has_perm("credits.grant_credits")

    def has_adjust_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """unfold's hook for the button."""
        return request.user.has_perm("credits.adjust_credits")

    @action(description="Give credits", permissions=["grant"], url_path="grant", icon="add_card")
    def grant(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """One ledger entry of the kind grant."""
        account = self.object_or_404(request, object_id)
        form = CreditsForm(request.POST or None, initial={"description": "Credits from support"})
        return self._post(request, account, form, customers.grant, "Give credits", GRANT)

    @action(description="Adjust", permissions=["adjust"], url_path="adjust", icon="balance")
    def adjust(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """One ledger entry of the kind adjustment."""
        account = self.object_or_404(request, object_id)
        form = AdjustForm(request.POST or None, initial={"description": "Correction"})
        return self._post(request, account, form, customers.adjust, "Adjust", ADJUST)

    def _post(
        self,
        request: HttpRequest,
        account: Account,
        form: CreditsForm,
        verb: Callable[[User, Any, Credits], Posted],
        title: str,
        text: str,
    ) -> HttpResponse:
        balance = Wallet.objects.get(pk=account.pk).balance
        explanation = text.format(name=account, balance=balance, came=recipients.members(account))
        if not form.is_valid():
            return self.verb_page(request, account, form, title, explanation)
        values = form.cleaned_data
        sent = Credits(values["amount"], values["description"], values["reason"], values["form"])
        try:
            posted = verb(staff_user(request), account.pk, sent)
            messages.success(
                request, f"{sent.amount:+,} credits; {account} has {posted.balance:,}."
            )
        except AlreadyDone:
            messages.warning(request, TWICE)
        except LedgerRefusal:
            form.add_error("amount", "The balance would fall below 0")
            return self.verb_page(request, account, form, title, explanation)
        return _back(account)

    @action(description="Limits", permissions=["limit"], url_path="limits", icon="speed")
    def limit(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """What it may do a minute and at once."""
        account: Account = self.object_or_404(request, object_id)
        now = {
            "creates_per_minute": account.creates_per_minute,
            "reads_per_minute": account.reads_per_minute,
            "max_open_charges": account.wallet.max_open_charges,
        }
        form = LimitsForm(request.POST or None, initial=now)
        if not form.is_valid():
            explanation = LIMIT.format(name=account)
            return self.verb_page(request, account, form, "Set limits", explanation)
        values = form.cleaned_data
        limits = Limits(**{name: values[name] for name in now})
        customers.limit(staff_user(request), account.pk, limits, values["reason"])
        messages.success(request, f"The limits of {account} are set.")
        return _back(account)

    @action(description="Suspend", permissions=["suspend"], url_path="suspend", icon="block")
    def suspend(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Refuse its requests."""
        account = self.object_or_404(request, object_id)
        return self._stop_or_go(request, account, customers.suspend, "Suspend", SUSPEND)

    @action(description="Resume", permissions=["suspend"], url_path="resume", icon="play_circle")
    def resume(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Undo a suspension."""
        account = self.object_or_404(request, object_id)
        return self._stop_or_go(request, account, customers.resume, "Resume", RESUME)

    def _stop_or_go(
        self,
        request: HttpRequest,
        account: Account,
        verb: Callable[[User, Any, str], None],
        title: str,
        text: str,
    ) -> HttpResponse:
        form = ReasonForm(request.POST or None)
        if not form.is_valid():
            return self.verb_page(request, account, form, title, text.format(name=account))
        try:
            verb(staff_user(request), account.pk, form.cleaned_data["reason"])
            messages.success(request, f"{title}: {account}.")
        except AlreadyDone:
            messages.warning(request, f"{account} was so before; nothing has changed.")
        return _back(account)


def _back(account: Account) -> HttpResponse:
    return redirect("admin:accounts_account_change", account.pk)
