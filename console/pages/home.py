"""Home: what an account has, what it made last and what it spent."""

from __future__ import annotations

from typing import Any

from django.db.models.functions import Now
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.models import Account
from console import access, playground, shown, steps
from console.access import ConsoleRequest
from console.context import wallet_of
from console.pages import ledger
from console.shown import Shown
from console.templatetags.console import in_credits
from generation.models import CatalogModel
from generation.offer import catalog, pricing
from generation.offer.parameters import Parameters

NEWEST = 3
TIMED = {"now": Now()}  # the database's time, as the API's lists have it


@access.of_account("GET")
def show(request: ConsoleRequest, account: Account) -> HttpResponse:
    newest = _newest(account)
    context = {
        "worth": worth(wallet_of(request, account).balance),
        "newest": newest,
        "steps": steps.of(account, request.user),
        **({} if newest else _playground(account)),
        **ledger.spent(account),
    }
    return render(request, "console/home.html", context)


def _playground(account: Account) -> dict[str, Any]:
    """The playground with a prompt filled in: a new customer only has to press one button."""
    address = reverse("console:create", args=[account.pk])
    draft = playground.empty(address, playground.examples()[0])
    return {"draft": draft, "form": draft and draft.form}


def worth(balance: int) -> str:
    """How many videos the balance buys, of the first model with its defaults."""
    model = catalog.pick(catalog.on_sale(CatalogModel.Kind.VIDEO), None)
    if model is None:
        return ""
    price = pricing.price_of(model, Parameters.filled(model, {}))
    count = max(0, balance) // price
    if not count:
        return _("A video takes %(price)s credits") % {"price": in_credits(price)}
    if "fast" in model.name:
        words = ngettext("≈ %(count)s fast video", "≈ %(count)s fast videos", count)
    else:
        words = ngettext("≈ %(count)s video", "≈ %(count)s videos", count)
    return words % {"count": in_credits(count)}


def _newest(account: Account) -> list[Shown]:
    """The newest generations, as the gallery shows them."""
    rows: Any = account.generations.annotate(**TIMED).order_by("-created_at", "-id")
    return [shown.of(row, account) for row in rows[:NEWEST]]
