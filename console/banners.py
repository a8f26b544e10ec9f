"""What a customer has to know on every page: one sentence each, and one thing to do."""

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
    """``action`` and ``address`` are a button; both are empty where nothing can be done."""

    look: str
    sentence: str
    action: str = ""
    address: str = ""


def of(request: HttpRequest, account: Account, wallet: Wallet) -> list[Banner]:
    """All that apply to this account and person, the gravest first."""
    found = []
    billing = reverse("console:billing", args=[account.pk])
    if account.suspended_at is not None:
        sentence = _("This account is suspended. You can read everything and order nothing.")
        found.append(Banner(BAD, sentence))
    if wallet.balance < 0:
        sentence = _("%(balance)s credits: a payment was taken back. Buy credits to go on.")
        shown = sentence % {"balance": in_credits(wallet.balance)}
        found.append(Banner(BAD, shown, _("Buy credits"), billing))
    if account.payment_hold_at is not None:
        sentence = _("Buying is on hold, as a payment is disputed. Write to us to go on.")
        found.append(Banner(WARN, sentence))
    user = request.user
    if isinstance(user, User) and user.email_verified_at is None:
        sentence = _("Your e-mail address is not verified yet. Buying credits needs it.")
        found.append(Banner(WARN, sentence, _("Verify"), reverse("console:verify")))
    return found
