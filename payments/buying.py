"""Buying a pack: the row is committed, then Stripe is asked for the link at which it is paid.

In this order no money can arrive for a payment that nobody knows. An idempotency key is looked up
under the account's lock, and again before anything is refused.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import OperationalError, transaction
from django.db.models.functions import Now
from django.utils import timezone
from psycopg.errors import LockNotAvailable

from accounts.caller import Caller
from accounts.models import Account
from accounts.verification import has_verified_owner
from common.errors import AccountSuspended, ApiError
from common.idempotency import IdempotencyInProgress, IdempotencyKeyReused, fingerprint, is_of
from common.web import rate_limit
from payments import limits
from payments.mode import livemode, payments_available
from payments.models import CreditPack, Payment
from payments.models.states import State
from payments.ordering import ask_for_link
from payments.refusals import EmailNotVerified, PaymentHold, PaymentsUnavailable
from payments.waking import ask_again

LINK_LIVES = timedelta(minutes=40)  # Stripe asks for 30 minutes at least
FIRST_LOOK = timedelta(seconds=60)
ASKING = timedelta(seconds=10)  # longer than a request asks Stripe
HOUR = 3600  # seconds


@dataclass(frozen=True, slots=True)
class Purchase:
    """A validated request to buy. ``body`` is the parsed object as it came."""

    caller: Caller
    pack: CreditPack
    address: str  # of the client, for its window
    idempotency_key: str | None = None
    path: str = ""
    body: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Bought:
    """A payment as it is now, and whether an earlier request made it."""

    payment: Payment
    replayed: bool


def buy(purchase: Purchase) -> Bought:
    """Make a payment and ask Stripe for its link, or find the payment that the same key made.

    Never inside a transaction. Raises the errors of section 10 of the contract, in its order; then
    nothing was bought, and the key is free.
    """
    try:
        if (again := replay(purchase)) is not None:
            return _looked_after(again)
        bought = _begin(purchase, _refusal_at_the_door(purchase))
    except OperationalError as error:
        # The role's lock_timeout (2 s): the first request with this key may hold the account.
        if purchase.idempotency_key is None or not isinstance(error.__cause__, LockNotAvailable):
            raise
        raise IdempotencyInProgress(headers={"Retry-After": "1"}) from error
    if bought.replayed:
        return _looked_after(bought)
    payment = ask_for_link(bought.payment)
    if payment.state == State.FAILED:
        _give_key_back(payment)
        raise PaymentsUnavailable
    return Bought(payment, replayed=False)


def replay(purchase: Purchase) -> Bought | None:
    """What this key made before, as it is now. Raises IdempotencyKeyReused for another request."""
    caller, key = purchase.caller, purchase.idempotency_key
    return None if key is None else replay_of(caller, key, purchase.path, purchase.body)


def replay_of(caller: Caller, key: str, path: str, body: dict[str, Any]) -> Bought | None:
    """``replay`` for a request that is no valid purchase any more."""
    found = Payment.objects.filter(account_id=caller.account_id, idempotency_key=key).first()
    if found is None:
        return None
    if not is_of(bytes(found.request_sha256 or b""), path, body):
        raise IdempotencyKeyReused
    return Bought(found, replayed=True)


def hurry(payment: Payment) -> None:
    """Have Stripe asked for the link now, if the request that should have asked has died."""
    if payment.state == State.CREATED and timezone.now() - payment.created_at > ASKING:
        ask_again(payment.pk, ASKING)


def _looked_after(again: Bought) -> Bought:
    hurry(again.payment)
    return again


def _refusal_at_the_door(purchase: Purchase) -> ApiError | None:
    """The refusal that needs no look at other payments, if any. The address's window comes last."""
    account_id = purchase.caller.account_id
    if not payments_available():
        return PaymentsUnavailable()
    if not has_verified_owner(account_id):
        return EmailNotVerified()
    if Account.objects.filter(pk=account_id, payment_hold_at__isnull=False).exists():
        return PaymentHold()
    limit = settings.RATE_LIMIT_CHECKOUTS_ADDRESS
    decision = rate_limit.hit("checkouts", limit, HOUR, purchase.address)
    return None if decision.allowed else rate_limit.too_many(decision)


def _begin(purchase: Purchase, refusal: ApiError | None) -> Bought:
    """Make the row, or find what the same key made while this request waited for the lock."""
    key, pack = purchase.idempotency_key, purchase.pack
    if refusal is not None and key is None:
        raise refusal
    with transaction.atomic():
        locked = Account.objects.select_for_update(no_key=True).annotate(now=Now())
        account = locked.get(pk=purchase.caller.account_id)
        if (again := replay(purchase)) is not None:
            return again
        if account.suspended_at is not None:
            raise AccountSuspended
        if refusal is not None:
            raise refusal
        if account.payment_hold_at is not None:
            raise PaymentHold
        limits.judge(account, pack, account.now)
        payment = Payment.objects.create(
            account=account,
            created_by_id=purchase.caller.user_id,
            pack=pack,
            credits=pack.credits,
            amount_minor=pack.amount_minor,
            currency=pack.currency,
            livemode=livemode(),
            idempotency_key=key,
            request_sha256=None if key is None else fingerprint(purchase.path, purchase.body),
            # Stripe's times have no fractions of seconds
            expires_at=account.now.replace(microsecond=0) + LINK_LIVES * settings.TIME_SCALE,
            next_attempt_at=account.now + FIRST_LOOK * settings.TIME_SCALE,
            created_at=account.now,
        )
    return Bought(payment, replayed=False)


def _give_key_back(payment: Payment) -> None:
    """Free the key: a refused request does not use it up.

    The row stays, for a replay that was answered with it as ``created``.
    """
    row = Payment.objects.filter(pk=payment.pk, state=State.FAILED, session_id=None)
    row.update(idempotency_key=None, request_sha256=None)
