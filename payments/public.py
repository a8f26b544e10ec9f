"""The one public form of a payment, which list and detail answer."""

from __future__ import annotations

from typing import Annotated, Literal, TypedDict

from common.api.form import Bounds, Credits, Link, Moment, OneOf, Uuid
from common.times import with_z
from payments.models import Payment
from payments.models.states import State

Minor = Annotated[int, Bounds(0), "In the currency's minor unit: 500 is $5.00."]


class PublicPayment(TypedDict):
    """One purchase of one pack: every key is always there, null where it does not apply."""

    payment_id: Uuid
    status: Annotated[
        str,
        OneOf(State.values),
        "`created`: stored, the link is on its way; `open`: it can be paid until `expires_at`; "
        "`processing`: a bank debit is under way, nothing is credited yet; `paid`: credited, once; "
        "`expired`, `failed`: over, nothing credited, but `paid` after all if money still arrives; "
        "`mismatch`: money arrived, but not as ordered, and a person looks at it.",
    ]
    pack: Annotated[str | None, "Also one that is no longer sold."]
    credits: Credits
    amount_minor: Annotated[Minor, "The pack's price, before tax and discount."]
    currency: str
    paid_minor: Annotated[int | None, Bounds(0), "Null until it is `paid`; with tax and discount."]
    tax_minor: Annotated[int | None, Bounds(0), "Null until it is `paid`."]
    discount_minor: Annotated[int | None, Bounds(0), "Null until it is `paid`."]
    credits_reversed: Annotated[Credits, "What refunds and disputes have taken back."]
    livemode: Annotated[bool, "Whether it is real money."]
    url: Annotated[Link | None, "Where it is paid; null unless it is `open`."]
    created_at: Moment
    expires_at: Annotated[Moment, "When the link ends."]
    finished_at: Annotated[Moment | None, "Null while it can still be paid."]


class PaymentAnswer(PublicPayment):
    """One purchase, flat: the keys of a list's result, and ``success``."""

    success: Literal[True]


class Checkout(TypedDict):
    """What was ordered, and where it is paid."""

    success: Literal[True]
    payment_id: Uuid
    status: Annotated[
        str, OneOf(State.values), "`open`, or `created` while the link is on its way."
    ]
    url: Annotated[Link | None, "Send the customer there. Null unless the status is `open`."]
    expires_at: Annotated[Moment, "When the link ends."]
    pack: str | None
    credits: Credits
    amount_minor: Annotated[Minor, "Before tax and discount."]
    currency: str


def to_dict(payment: Payment) -> PublicPayment:
    """What its customers see of it."""
    is_open, is_paid = payment.state == State.OPEN, payment.state == State.PAID
    return {
        "payment_id": str(payment.pk),
        "status": payment.state,
        "pack": payment.pack_id,
        "credits": payment.credits,
        "amount_minor": payment.amount_minor,
        "currency": payment.currency,
        "paid_minor": payment.paid_minor if is_paid else None,
        "tax_minor": payment.tax_minor if is_paid else None,
        "discount_minor": payment.discount_minor if is_paid else None,
        "credits_reversed": payment.reversed_credits,
        "livemode": payment.livemode,
        "url": payment.url if is_open else None,
        "created_at": with_z(payment.created_at),
        "expires_at": with_z(payment.expires_at),
        "finished_at": None if payment.finished_at is None else with_z(payment.finished_at),
    }


def to_checkout(payment: Payment) -> Checkout:
    """The answer of a checkout: the part that is known then."""
    shown = to_dict(payment)
    return {
        "success": True,
        "payment_id": shown["payment_id"],
        "status": shown["status"],
        "url": shown["url"],
        "expires_at": shown["expires_at"],
        "pack": shown["pack"],
        "credits": shown["credits"],
        "amount_minor": shown["amount_minor"],
        "currency": shown["currency"],
    }
