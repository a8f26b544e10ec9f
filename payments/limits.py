"""How much an account may buy, judged under its lock (contract, section 10).

The payments' own rows are counted. So the limits are exact, survive a restart, and count what was
made, not what was refused.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Q

from accounts.models import Account
from common.errors import ApiError
from common.web import rate_limit
from payments.mode import livemode
from payments.models import CreditPack, Payment
from payments.models.states import UNFINISHED, State
from payments.refusals import PurchaseLimitReached, TooManyOpenPayments

HOUR = timedelta(hours=1)
DAY = timedelta(hours=24)
KNOWN_AFTER = timedelta(days=7)  # since an account first paid
MAX_OPEN = 3
WAITING = (State.CREATED, State.OPEN)  # for the customer
SPENT = (*UNFINISHED, State.PAID)


def judge(account: Account, pack: CreditPack, now: datetime) -> None:
    """Raises RateLimited, PurchaseLimitReached or TooManyOpenPayments, in this order.

    Belongs into the transaction that holds the account's lock and inserts the payment.
    """
    lately = Q(created_at__gt=now - DAY) | Q(state__in=WAITING)
    found = Payment.objects.filter(
        lately, account=account, livemode=livemode(), kind=Payment.Kind.CHECKOUT
    )
    fields = ("state", "created_at", "expires_at", "amount_minor", "currency")
    rows = list(found.only(*fields).order_by("created_at", "id"))
    _refuse_too_many([row for row in rows if row.created_at > now - HOUR], now)
    bought = [row for row in rows if row.state in SPENT and row.created_at > now - DAY]
    if (refusal := _above_the_day(account, bought, pack, now)) is not None:
        raise refusal
    waiting = [row for row in rows if row.state in WAITING]
    if len(waiting) >= MAX_OPEN:
        ends = min(row.expires_at for row in waiting)
        headers = {"Retry-After": str(seconds_to(ends, now))}
        raise TooManyOpenPayments(too_many_open(), headers=headers)


def _refuse_too_many(rows: Sequence[Payment], now: datetime) -> None:
    limit: int = settings.RATE_LIMIT_CHECKOUTS
    if len(rows) >= limit:
        wait = seconds_to(rows[-limit].created_at + HOUR, now)
        raise rate_limit.too_many(rate_limit.Decision(False, limit, 0, wait))


def most_in_a_day(account: Account, now: datetime) -> int:
    """What the account may spend in 24 hours, in the minor unit; a new one may spend less."""
    paid = Payment.objects.filter(
        account=account, livemode=livemode(), state=State.PAID, finished_at__lte=now - KNOWN_AFTER
    )
    most: int = settings.PURCHASE_MAX_PER_DAY
    return most if paid.exists() else min(most, settings.PURCHASE_MAX_PER_DAY_NEW)


def _above_the_day(
    account: Account, rows: Sequence[Payment], pack: CreditPack, now: datetime
) -> ApiError | None:
    limit = most_in_a_day(account, now)
    counted = [row for row in rows if row.currency == pack.currency]
    total = sum(row.amount_minor for row in counted) + pack.amount_minor
    if total <= limit:
        return None
    wait = DAY
    for row in counted:  # the oldest one leaves first
        total -= row.amount_minor
        if total <= limit:
            wait = row.created_at + DAY - now
            break
    headers = {"Retry-After": str(seconds_to(now + wait, now))}
    return PurchaseLimitReached(above_the_day(limit, pack.currency), headers=headers)


def above_the_day(limit_minor: int, currency: str) -> str:
    """The sentence that refuses a purchase; for currencies that have hundredths."""
    amount = f"{limit_minor // 100}.{limit_minor % 100:02} {currency.upper()}"
    return f"Credits can be bought for at most {amount} in 24 hours"


def too_many_open() -> str:
    """The sentence that refuses one more open payment."""
    return f"At most {MAX_OPEN} payments can be open at once, pay or wait for one to expire"


def seconds_to(moment: datetime, now: datetime) -> int:
    """Whole seconds until then, at least 1; for a header."""
    return max(1, math.ceil((moment - now).total_seconds()))
