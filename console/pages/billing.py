"""Billing: what can be bought and what was; buying a pack."""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from rest_framework.exceptions import APIException

from accounts.caller import Caller
from accounts.models import Account
from accounts.verification import has_verified_owner
from common.errors import InvalidRequest
from common.telemetry import access_log
from common.web.client_address import client_address
from console import access, paging, payment_words
from console.access import ConsoleRequest
from console.payment_words import Refusal
from console.templatetags.console import in_credits, money
from payments import limits, packs
from payments.api import checkout
from payments.mode import livemode, payments_available
from payments.models import CreditPack, Payment

NAME = re.compile(r"[A-Za-z0-9_-]{16,64}", re.ASCII)  # of a form, as ``Offer.name`` makes it
PREFIX = "console-"  # with this prefix no page uses a key that a program of the account chose


@dataclass(frozen=True, slots=True)
class Offer:
    """A pack with a form of its own. Its name is the order's idempotency key.

    So a double click, a reload and the way back buy once, and the next pack is another order.
    """

    pack: CreditPack
    is_above_limit: bool
    name: str = field(default_factory=lambda: secrets.token_urlsafe(18))

    @property
    def label(self) -> str:
        """The words of the button."""
        price = money(self.pack.amount_minor, self.pack.currency)
        words = _("Buy %(credits)s credits for %(price)s")
        return words % {"credits": in_credits(self.pack.credits), "price": price}


@access.of_account("GET")
def show(request: ConsoleRequest, account: Account) -> HttpResponse:
    return _page(request, account)


@access.of_account("GET", "POST")
def buy(request: ConsoleRequest, account: Account) -> HttpResponse:
    """Order a pack as the API's checkout does. The next page forwards to Stripe."""
    if request.method != "POST":  # a refusal was reloaded from its address
        return access.redirect(request, reverse("console:billing", args=[account.pk]))
    try:
        access.refuse_suspended(account)
        bought = checkout.order(
            Caller.by_member(account.pk, request.user.pk),
            {"pack": request.POST.get("pack")},
            address=client_address(request),
            path=request.path,
            idempotency_key=_key(request.POST.get("order", "")),
        )
    except APIException as error:
        return _page(request, account, Refusal.of(error))
    access_log.add_fields(payment_id=str(bought.payment.pk))
    pay = reverse("console:payment-pay", args=[account.pk, bought.payment.pk])
    return access.redirect(request, pay)


def _key(name: str) -> str | None:
    if not name:
        return None
    if not NAME.fullmatch(name):
        raise InvalidRequest
    return f"{PREFIX}{name}"


def _page(
    request: ConsoleRequest, account: Account, refusal: Refusal | None = None
) -> HttpResponse:
    closed = _closed(account)
    limit = limits.most_in_a_day(account, timezone.now())
    found = paging.page_of(request, Payment.objects.filter(account=account), ("created_at", "id"))
    may_pay = account.suspended_at is None
    context = {
        "closed": closed,
        "is_verified": request.user.email_verified_at is not None,
        "limit": limit,
        "most_open": limits.MAX_OPEN,
        "offers": [Offer(pack, pack.amount_minor > limit) for pack in packs.on_sale()],
        "payments": [payment_words.shown(row, may_pay=may_pay) for row in found.rows],
        "earlier": _of_billing(account, found.earlier),
        "later": _of_billing(account, found.later),
        "is_test": payments_available() and not livemode(),
        "refusal": refusal,
    }
    status = refusal.status if refusal else 200
    page = render(request, "console/billing.html", context, status=status)
    if refusal and refusal.wait:
        page.headers["Retry-After"] = refusal.wait
    return page


def _of_billing(account: Account, link: str | None) -> str | None:
    """The list's link to a neighbouring page: to Billing, even after a refused order."""
    return link and f"{reverse('console:billing', args=[account.pk])}?{urlsplit(link).query}"


def _closed(account: Account) -> str:
    """Why this account can buy nothing now; empty if it can."""
    if account.suspended_at is not None:
        return "suspended"
    if not payments_available():
        return "off"
    if not has_verified_owner(account.pk):
        return "unverified"
    return "hold" if account.payment_hold_at is not None else ""
