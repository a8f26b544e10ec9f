"""What a customer has to know on every page: a sentence each, and one thing to do about it."""

from __future__ import annotations

from dataclasses import dataclass

from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _

from accounts.models import Account, User
from console.templatetags.console import in_credits
from credits.models import Wallet

WARN, BAD = "warn", "bad"  # classes of the style sheet


@dataclass(frozen=True, slots=True)
class Banner:
    """A sentence and its button."""

    look: str
    sentence: str
    action: str
    address: str


def of(request: HttpRequest, account: Account, wallet: Wallet) -> list[Banner]:
    """The banners for this account and person, the gravest first."""
    found = []
    billing = reverse("console:billing", args=[account.pk])
    on_hold = account.payment_hold_at is not None
    if account.suspended_at is not None:
        sentence = _("This account is suspended. You can read everything and order nothing.")
        ledger = reverse("console:ledger", args=[account.pk])
        found.append(Banner(BAD, sentence, _("See the ledger"), ledger))
    if wallet.balance < 0:
        found.append(_negative(in_credits(wallet.balance), on_hold, billing))
    if on_hold:
        sentence = _("Buying is on hold, as a payment was disputed. Contact support to go on.")
        found.append(Banner(WARN, sentence, _("See your payments"), billing))
    user = request.user
    if isinstance(user, User) and user.email_verified_at is None:
        sentence = _("Your e-mail address is not verified yet. Buying credits needs it.")
        found.append(Banner(WARN, sentence, _("Verify"), reverse("console:verify")))
    return found


def _negative(balance: str, on_hold: bool, billing: str) -> Banner:
    """The banner of a negative balance. It asks to buy only where something can be bought."""
    if on_hold:
        sentence = _("%(balance)s: a payment was taken back.")
        return Banner(BAD, sentence % {"balance": balance}, _("See your payments"), billing)
    sentence = _("%(balance)s: a payment was taken back. Buy credits to go on.")
    return Banner(BAD, sentence % {"balance": balance}, _("Buy credits"), billing)
