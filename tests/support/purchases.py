"""Payments in any state, as rows: what a test is about need not be bought at Stripe first."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone

from common import ids
from credits import ledger
from payments.models import CreditPack, Payment, Reversal
from payments.models.states import UNFINISHED, State
from tests.support.people import Person

PACK = "credits_2500"


def a_payment(person: Person, state: State = State.PAID, **columns: Any) -> Payment:
    """A payment of the pack ``PACK``; a paid one is credited."""
    pack, now, key = CreditPack.objects.get(pk=PACK), timezone.now(), ids.new()
    values: dict[str, Any] = {
        "id": key,
        "account": person.account,
        "created_by": person.user,
        "pack": pack,
        "credits": pack.credits,
        "amount_minor": pack.amount_minor,
        "currency": pack.currency,
        "livemode": False,
        "session_id": f"cs_test_{key.hex}",
        "expires_at": now + timedelta(minutes=40),
        "created_at": now - timedelta(seconds=10),
    }
    if state in UNFINISHED:
        values |= {"next_attempt_at": now + timedelta(seconds=60), "url": "https://pay.example/x"}
    else:
        values |= {"finished_at": now}
    if state in (State.PROCESSING, State.PAID, State.MISMATCH):
        values |= {"intent_id": f"pi_{key.hex}"}
    if state in (State.PAID, State.MISMATCH):
        facts = {"amount_total": pack.amount_minor, "tax": 0, "discount": 0}
        values |= {"charge_id": f"ch_{key.hex}", "facts": facts}
    if state == State.PAID:
        values |= {"paid_minor": pack.amount_minor}
    values |= columns
    with transaction.atomic():
        if state == State.PAID:
            posted = ledger.purchase(
                person.account.pk,
                values["credits"],
                reference=f"stripe:{key}",
                description="Payment",
            )
            values |= {"purchase_id": posted.entry_id}
        return Payment.objects.create(state=state, **values)


def a_reversal(payment: Payment, amount_minor: int, taken: int, **columns: Any) -> Reversal:
    """A refund, or what ``columns`` say, that took back ``taken`` credits."""
    key = ids.new()
    with transaction.atomic():
        posted = ledger.reverse(
            payment.account_id, taken, reversal_id=key, description="Payment refunded"
        )
        Payment.objects.filter(pk=payment.pk).update(
            reversed_credits=payment.reversed_credits + taken
        )
        payment.refresh_from_db()
        values = {"kind": "refund", "status": "succeeded", "provider_id": f"re_{key.hex}"}
        return Reversal.objects.create(
            id=key,
            payment=payment,
            amount_minor=amount_minor,
            entry_id=posted.entry_id,
            **(values | columns),
        )


def a_dispute(payment: Payment, **columns: Any) -> Reversal:
    """A dispute about all that is left of the payment, which has to be answered in three days."""
    left = payment.credits - payment.reversed_credits
    values = {
        "kind": "dispute",
        "status": "needs_response",
        "provider_id": f"du_{ids.new().hex}",
        "due_by": timezone.now() + timedelta(days=3, minutes=1),
    }
    return a_reversal(payment, payment.paid_minor or 0, left, **(values | columns))


def more_like(payment: Payment, moments: Iterable[datetime]) -> None:
    """One of the same at each of these moments: a full table, for tests that ask for a plan."""
    said = ["account_id", "credits", "amount_minor", "currency", "state", "livemode", "kind"]
    said += ["expires_at", "finished_at"]
    same = {name: getattr(payment, name) for name in said}
    Payment.objects.bulk_create(Payment(**same, created_at=moment) for moment in moments)
