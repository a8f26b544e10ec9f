"""What an operator does to a payment. Every verb is one transaction; the caller records why.

Credits first, money second: a refund takes the credits back here, and a worker asks Stripe to give
the money back afterwards. In the other order the customer could spend the credits meanwhile.
"""

from __future__ import annotations

import uuid
from functools import partial
from typing import Any

from django.db import transaction
from django.db.models.functions import Now

from accounts.models import Account, User
from common.errors import ApiError
from credits.models import Wallet
from payments import metrics, reversals, settling
from payments.mode import livemode, payments_available
from payments.models import Payment, Reversal
from payments.models.states import State
from payments.waking import STAGE, make_due
from work.wake import wake


class NotAllowed(ApiError):
    """409: the payment is not in a state for it; the sentence is for the operator."""

    status_code = 409
    default_code = "not_allowed"


def ask_again(payment: Payment) -> None:
    """Let Stripe be asked now. Raises NotAllowed without a key of the payment's mode."""
    _ask_for_a_key(payment)
    make_due(payment.pk)


def default_refund(payment: Payment) -> int:
    """What was paid for the credits that are not spent, in the minor unit; 0 if all are."""
    if payment.state != State.PAID or not payment.paid_minor:
        return 0
    balance = Wallet.objects.values_list("balance", flat=True).get(pk=payment.account_id)
    unspent = max(0, min(balance, payment.credits - payment.reversed_credits))
    share = unspent * payment.paid_minor // payment.credits
    return max(0, min(share, refundable(payment)))


def refundable(payment: Payment) -> int:
    """The most that can still be given back, in the minor unit."""
    return (payment.paid_minor or 0) - reversals.live_minor(reversals.rows_of(payment))


def refund(payment: Payment, amount_minor: int, *, by: User) -> Reversal:
    """Take credits back, pro rata, and have Stripe give ``amount_minor`` of the money back.

    Of a mismatch all money is given back, since nothing was credited; the payment has failed then.
    If Stripe refuses, the credits are reinstated. Raises NotAllowed.
    """
    _ask_for_a_key(payment)
    with transaction.atomic():
        row = _locked(payment)
        rows = reversals.rows_of(row)
        if row.state == State.MISMATCH:
            return _give_back(row, by)
        if row.state != State.PAID:
            raise NotAllowed("Only a payment that was paid can be refunded")
        if reversals.is_disputed(rows):
            raise NotAllowed("The bank has the money back already: the payment is disputed")
        left = (row.paid_minor or 0) - reversals.live_minor(rows)
        if not 0 < amount_minor <= left:
            raise NotAllowed(f"Between 1 and {left} can be given back")
        ordered = _order(row, amount_minor, by)
        taken = reversals.post(row, [*rows, ordered])
        Payment.objects.filter(pk=row.pk).update(reversed_credits=taken)
        return ordered


def credit(payment: Payment) -> uuid.UUID:
    """Credit a mismatch after all, with exactly what was sold; return the ledger entry's id."""
    with transaction.atomic():
        row = _locked(payment)
        if row.state != State.MISMATCH:
            raise NotAllowed("Only a payment whose facts differ can be credited by a person")
        if reversals.live_minor(reversals.rows_of(row)):
            raise NotAllowed("Money of it was given back: refund the rest, or grant credits")
        changes: dict[str, Any] = {"next_attempt_at": Now()}
        entry_id = settling.credit(row, row.facts, changes)
        Payment.objects.filter(pk=row.pk).update(**changes)
        transaction.on_commit(partial(metrics.ENDED.labels("paid").inc))
        transaction.on_commit(partial(wake, STAGE))
        return entry_id


def release_hold(account: Account) -> None:
    """Let the account buy again after a dispute. Raises NotAllowed when it is not held."""
    held = Account.objects.filter(pk=account.pk, payment_hold_at__isnull=False)
    if not held.update(payment_hold_at=None, payment_hold_reason=""):
        raise NotAllowed("The account is not held")


def _give_back(row: Payment, by: User) -> Reversal:
    """Order a refund of all that Stripe took for a mismatch, which got no credits."""
    if reversals.live_minor(reversals.rows_of(row)):
        raise NotAllowed("It is being refunded already")
    took = int(row.facts.get("amount_total") or 0)
    if took <= 0 or not row.intent_id:
        raise NotAllowed("Stripe took no money for it")
    ordered = _order(row, took, by)
    Payment.objects.filter(pk=row.pk).update(state=State.FAILED, finished_at=Now())
    transaction.on_commit(partial(metrics.ENDED.labels("failed").inc))
    return ordered


def _order(row: Payment, amount_minor: int, by: User) -> Reversal:
    """Write down a refund, and make the payment due: a worker then asks Stripe for it."""
    ordered = Reversal.objects.create(
        payment=row,
        kind=Reversal.Kind.REFUND,
        amount_minor=amount_minor,
        status=reversals.ORDERED,
        created_by=by,
    )
    make_due(row.pk)
    return ordered


def _locked(payment: Payment) -> Payment:
    return Payment.objects.select_for_update().get(pk=payment.pk)


def _ask_for_a_key(payment: Payment) -> None:
    if not payments_available() or payment.livemode is not livemode():
        raise NotAllowed("There is no key for payments of this mode")
