"""Examples of what a checkout refuses, for the OpenAPI document."""

from __future__ import annotations

from common.api.error_examples import KEY_IN_PROGRESS, KEY_REUSED, ErrorExample, bad_field
from payments.api.requests import unknown
from payments.limits import MAX_OPEN, above_the_day, too_many_open
from payments.models import CreditPack
from payments.refusals import (
    EmailNotVerified,
    PaymentHold,
    PaymentsUnavailable,
    PurchaseLimitReached,
    TooManyOpenPayments,
)

PACKS = ["credits_500", "credits_2500", "credits_10000", "credits_50000"]

BAD_PACK = [
    bad_field("pack", "Pack is required", "This field is required", "missing"),
    bad_field("pack", unknown([CreditPack(name=name) for name in PACKS])),
]
REFUSED = [
    KEY_REUSED,
    KEY_IN_PROGRESS,
    ErrorExample.of(
        PaymentsUnavailable,
        "Nothing can be bought at the moment; nothing was",
        headers=("Retry-After",),
    ),
    ErrorExample.of(EmailNotVerified, "No owner of the account has verified an e-mail address"),
    ErrorExample.of(PaymentHold, "A payment of the account was disputed"),
    ErrorExample.of(
        PurchaseLimitReached,
        "With this one it would be more than an account may buy in 24 hours",
        above_the_day(20_000, "usd"),
        headers=("Retry-After",),
    ),
    ErrorExample.of(
        TooManyOpenPayments,
        f"{MAX_OPEN} payments are open; Retry-After is when the first one expires",
        too_many_open(),
        headers=("Retry-After",),
    ),
]
BAD_STATUS = bad_field(
    "status",
    "Invalid status. Must be one of: created, open, processing, paid, expired, failed, mismatch",
)
