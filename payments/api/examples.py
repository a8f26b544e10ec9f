"""Examples of payments, for the OpenAPI document."""

from __future__ import annotations

from drf_spectacular.utils import OpenApiExample

from payments.packs import PublicPack
from payments.public import Checkout, PublicPayment

_ID = "019ad0b2-7d3c-7a41-8f2e-3b6c9d1e5f70"
_LINK = "https://checkout.stripe.com/c/pay/cs_live_a1b2c3"
_PACKS: list[PublicPack] = [
    {"name": "credits_500", "credits": 500, "amount_minor": 500, "currency": "usd"},
    {"name": "credits_2500", "credits": 2500, "amount_minor": 2500, "currency": "usd"},
    {"name": "credits_10000", "credits": 10_000, "amount_minor": 9500, "currency": "usd"},
]
_CHECKOUT: Checkout = {
    "success": True,
    "payment_id": _ID,
    "status": "open",
    "url": _LINK,
    "expires_at": "2026-11-29T12:40:00Z",
    "pack": "credits_2500",
    "credits": 2500,
    "amount_minor": 2500,
    "currency": "usd",
}
_WITHOUT_LINK: Checkout = {**_CHECKOUT, "status": "created", "url": None}
_OPEN: PublicPayment = {
    "payment_id": _ID,
    "status": "open",
    "pack": "credits_2500",
    "credits": 2500,
    "amount_minor": 2500,
    "currency": "usd",
    "paid_minor": None,
    "tax_minor": None,
    "discount_minor": None,
    "credits_reversed": 0,
    "livemode": True,
    "url": _LINK,
    "created_at": "2026-11-29T12:00:00.123456Z",
    "expires_at": "2026-11-29T12:40:00Z",
    "finished_at": None,
}
_PAID: PublicPayment = {
    **_OPEN,
    "status": "paid",
    "url": None,
    "paid_minor": 2975,
    "tax_minor": 475,
    "discount_minor": 0,
    "finished_at": "2026-11-29T12:03:20.654321Z",
}
_PAGE = {
    "success": True,
    "count": 1,
    "count_is_capped": False,
    "next": None,
    "previous": None,
    "results": [_PAID],
}


def _answer(name: str, body: object) -> OpenApiExample:
    return OpenApiExample(name, body, response_only=True)


PACKS = [
    _answer("They can be bought", {"success": True, "payments_available": True, "packs": _PACKS}),
]
CHECKOUT = [
    OpenApiExample("A pack", {"pack": "credits_2500"}, request_only=True),
    OpenApiExample("A link", _CHECKOUT, response_only=True, status_codes=["201"]),
    OpenApiExample(
        "The link is on its way", _WITHOUT_LINK, response_only=True, status_codes=["201"]
    ),
]
PAYMENTS = [_answer("One was paid, with tax", _PAGE)]
PAYMENT = [
    _answer("It can be paid", {"success": True, **_OPEN}),
    _answer("It was paid, with tax", {"success": True, **_PAID}),
]
