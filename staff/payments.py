"""What staff do to a payment: each verb with its audit entry, in one transaction.

Each verb raises the NotAllowed of ``payments.interventions`` if the state forbids it. Then nothing
was written.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db import transaction

from accounts.models import Account, User
from payments import interventions
from payments.models import Payment
from staff import audit
from staff.results import Result

TWICE = "Something was taken back since this form was opened. Nothing was refunded this time."

Values = Mapping[str, Any]  # of the form


def ask_again(actor: User, payment: Payment, values: Values) -> Result:
    """Let a worker look at it now. It changes nothing that Stripe does not say."""
    with transaction.atomic():
        row = _locked(payment)
        interventions.ask_again(row)
        _record(actor, "ask_stripe", row, values, {"state": row.state})
    return Result("A worker asks Stripe within seconds; then reload this page.")


def refund(actor: User, payment: Payment, values: Values) -> Result:
    """Take credits back, and then have Stripe give the money back.

    ``values["reversals"]`` is how many there were when the form was opened. So a form that is sent
    twice refunds once.
    """
    with transaction.atomic():
        row = _locked(payment)
        if row.reversals.count() != values["reversals"]:
            return Result(TWICE, changed=False)
        before = row.reversed_credits
        done = interventions.refund(row, values["amount_minor"], by=actor)
        row.refresh_from_db()
        changes = {
            "amount_minor": done.amount_minor,
            "currency": row.currency,
            "reversed_credits": [before, row.reversed_credits],
            "reversal": str(done.pk),
        }
        _record(actor, "refund_payment", row, values, changes)
    taken = row.reversed_credits - before
    return Result(f"{taken:,} credits are taken back, and Stripe is told to give the money back.")


def refund_mismatch(actor: User, payment: Payment, values: Values) -> Result:
    """Have Stripe give all of the money back; nothing was ever credited."""
    with transaction.atomic():
        row = _locked(payment)
        was = row.state
        done = interventions.refund(row, 0, by=actor)
        row.refresh_from_db()
        changes = {
            "amount_minor": done.amount_minor,
            "currency": row.currency,
            "state": [was, row.state],
            "reversal": str(done.pk),
        }
        _record(actor, "refund_payment", row, values, changes)
    return Result("Stripe is told to give all of the money back.")


def credit(actor: User, payment: Payment, values: Values) -> Result:
    """Credit a mismatch, with exactly what was sold."""
    with transaction.atomic():
        row = _locked(payment)
        was = row.state
        entry_id = interventions.credit(row)
        row.refresh_from_db()
        changes = {"state": [was, row.state], "credits": row.credits, "ledger_entry": str(entry_id)}
        _record(actor, "credit_payment", row, values, changes)
    return Result(f"{row.credits:,} credits are given.")


def release_hold(actor: User, account: Account, values: Values) -> Result:
    """Let an account buy credits again after a dispute."""
    with transaction.atomic():
        row = Account.objects.select_for_update(no_key=True).get(pk=account.pk)
        interventions.release_hold(row)
        changes = {
            "payment_hold_at": [row.payment_hold_at, None],
            "payment_hold_reason": [row.payment_hold_reason, ""],
        }
        audit.record(
            actor,
            "release_payment_hold",
            account,
            reason=values["reason"],
            account_id=account.pk,
            changes=changes,
        )
    return Result(f"{account} may buy credits again.")


def _locked(payment: Payment) -> Payment:
    return Payment.objects.select_for_update().get(pk=payment.pk)


def _record(
    actor: User, action: str, payment: Payment, values: Values, changes: dict[str, Any]
) -> None:
    audit.record(
        actor,
        action,
        payment,
        reason=values["reason"],
        account_id=payment.account_id,
        changes=changes,
    )
