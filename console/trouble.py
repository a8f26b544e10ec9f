"""Why nothing was ordered, in words, and the one thing to do about it."""

from __future__ import annotations

from dataclasses import dataclass

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.models import Account
from common.errors import ApiError, RateLimited, ServiceUnavailable
from common.idempotency import IdempotencyInProgress, IdempotencyKeyReused
from console.templatetags.console import in_credits
from generation.refusals import (
    InsufficientCredits,
    ModelUnavailable,
    PriceAboveMax,
    ProviderBusy,
    TooManyOpenGenerations,
    TooManyUndelivered,
)


@dataclass(frozen=True, slots=True)
class Trouble:
    """What to show: ``wait`` seconds are counted down, ``action`` and ``address`` are a button."""

    status: int
    sentence: str
    wait: int = 0
    action: str = ""
    address: str = ""

    @property
    def waiting(self) -> str:
        """The sentence without a script, and the first one with it."""
        if not self.wait:
            return ""
        words = ngettext("Try again in %(n)s second.", "Try again in %(n)s seconds.", self.wait)
        return words % {"n": self.wait}


def of_refusal(error: ApiError, account: Account) -> Trouble:
    """The trouble of a refused create. Each sentence says that nothing was charged."""
    wait = _seconds(error)
    match error:
        case InsufficientCredits():
            return _too_poor(error, account)
        case PriceAboveMax():
            return Trouble(error.status_code, changed_price())
        case TooManyOpenGenerations():
            said = _("So many generations are open that no more can begin. Nothing was charged.")
            gallery = reverse("console:gallery", args=[account.pk])
            return Trouble(error.status_code, said, wait, _("Gallery"), gallery)
        case TooManyUndelivered():
            said = _("Too many generations of a day were canceled or failed. Nothing was charged.")
        case RateLimited():
            said = _("That were many orders within a minute. Nothing was charged.")
        case ProviderBusy():
            said = _(
                "So much is waiting for this model that it would take too long. "
                "Nothing was charged."
            )
        case ModelUnavailable():
            said = _(
                "This model is not available at the moment. Nothing was charged: "
                "choose another one, or wait."
            )
        case IdempotencyInProgress():
            said = _("This order is being placed at this moment.")
        case IdempotencyKeyReused():
            said = _(
                "This form has ordered something already, and nothing again. "
                "Press once more to order what is in it now."
            )
        case ServiceUnavailable():
            said = _("The service is temporarily unavailable. Nothing was charged.")
        case _:
            said = f"{error.detail}."
    return Trouble(error.status_code, said, wait)


def changed_price() -> str:
    return _(
        "The price on the button has changed, so nothing was ordered. Look at it, and press again."
    )


def changed_model() -> str:
    return _(
        "These are the fields and the price of the model that you chose. Nothing was ordered yet."
    )


def gone_model(name: str) -> str:
    return _("%(model)s is not on sale any more, so nothing was ordered. Choose another model.") % {
        "model": name[:50]
    }


def _too_poor(error: ApiError, account: Account) -> Trouble:
    words = _("This costs %(price)s credits, and %(account)s has %(balance)s. Nothing was ordered.")
    said = words % {
        "price": in_credits(error.extra["credits_needed"]),
        "account": account.name,
        "balance": in_credits(error.extra["credits_balance"]),
    }
    billing = reverse("console:billing", args=[account.pk])
    return Trouble(error.status_code, said, 0, _("Buy credits"), billing)


def _seconds(error: ApiError) -> int:
    told = error.headers.get("Retry-After", "")
    return int(told) if told.isdigit() else 0
