"""What every page of an account has around its content: menu, balance, banners."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest
from django.urls import reverse
from django.utils.functional import SimpleLazyObject
from django.utils.translation import gettext as _

from accounts.models import Account
from console import banners
from console.access import ACCOUNT
from credits.models import Wallet

WALLET = "console_wallet"  # the attribute of a request that its wallet was read for


@dataclass(frozen=True, slots=True)
class Link:
    """An entry of the menu."""

    title: str
    address: str
    is_here: bool


def frame(request: HttpRequest) -> dict[str, Any]:
    """Django's context processor. Only pages of an account get something from it."""
    account: Account | None = getattr(request, ACCOUNT, None)
    if account is None:
        return {}
    wallet: Any = SimpleLazyObject(lambda: wallet_of(request, account))
    return {
        "account": account,
        "wallet": wallet,
        "banners": SimpleLazyObject(lambda: banners.of(request, account, wallet)),
        "menu": _menu(request, account),
    }


def wallet_of(request: HttpRequest, account: Account) -> Wallet:
    """The account's wallet, read once a request: so a page shows one balance everywhere."""
    known: Wallet | None = getattr(request, WALLET, None)
    if known is None:
        known = Wallet.objects.get(account_id=account.pk)
        setattr(request, WALLET, known)
    return known


def _menu(request: HttpRequest, account: Account) -> list[Link]:
    titles = {
        "home": _("Home"),
        "create": _("Create"),
        "gallery": _("Gallery"),
        "keys": _("API keys"),
        "webhooks": _("Webhooks"),
        "ledger": _("Ledger"),
        "billing": _("Billing"),
        "settings": _("Settings"),
    }
    links = {name: reverse(f"console:{name}", args=[account.pk]) for name in titles}
    path = request.path
    here = max((link for link in links.values() if path.startswith(link)), key=len, default="")
    return [Link(title, links[name], links[name] == here) for name, title in titles.items()]
