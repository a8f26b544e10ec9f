"""Facts become money: one transaction posts what is missing and moves the state forward.

States never go back, so neither the order of events nor their number matters. A purchase is posted
before its reversals.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models.functions import Now

from common.telemetry.redaction import cut_text
from credits import ledger
from payments import holding, metrics, reversals, schedule
from payments.judging import Verdict, judge
from payments.models import Payment, Reversal
from payments.models.states import UNFINISHED, State
from payments.stripe.facts import Facts

logger = logging.getLogger(__name__)

# As the trigger of payments/migrations/0002_guards.py allows, without what only a person may do.
FORWARD: dict[str, frozenset[State]] = {
    State.CREATED: frozenset(State) - {State.CREATED},
    State.OPEN: frozenset(State) - {State.CREATED, State.OPEN},
    State.PROCESSING: frozenset({State.PAID, State.EXPIRED, State.FAILED, State.MISMATCH}),
    State.EXPIRED: frozenset({State.PAID, State.MISMATCH}),
    State.FAILED: frozenset({State.PAID, State.MISMATCH}),
    State.MISMATCH: frozenset(),
    State.PAID: frozenset(),
}


def settle(claimed: Payment, facts: Facts) -> list[Reversal]:
    """Post what the facts say; return our refunds that Stripe still has to be asked for.

    If there are any the lease is kept, else it ends.
    """
    with transaction.atomic():
        row = holding.lock(claimed)
        if row is None:
            return []
        verdict = judge(row, facts)
        changes: dict[str, Any] = {
            "facts": facts.to_dict(),
            "fetched_at": Now(),
            "last_error": cut_text(verdict.reason),
            **{name: value for name, value in _names(facts).items() if value},
        }
        if row.state == State.MISMATCH:
            del changes["last_error"]  # why a person has to look stays
        known = _taken(reversals.rows_of(row))
        rows = reversals.match(row, facts)
        end = _move(row, verdict, facts, rows, changes)
        state = State(changes.get("state", row.state))
        if state == State.PAID:
            changes["reversed_credits"] = reversals.post(row, rows)
            reversals.hold_account(row, rows, known)
        orders = reversals.to_order(rows) if facts.intent_id else []
        if orders:
            Payment.objects.filter(pk=row.pk).update(**changes)
        else:
            undecided = reversals.is_undecided(rows) or verdict.state == State.PROCESSING
            at = schedule.next_look(row, state, undecided=undecided)
            if not verdict.known:
                at = schedule.after_a_surprise(row)
            holding.release(row, claimed, at, **changes)
    _tell(row, verdict, end)
    return orders


def credit(row: Payment, facts: dict[str, Any], changes: dict[str, Any]) -> uuid.UUID:
    """Post the purchase of exactly what was sold; return the entry's id.

    ``changes`` gets the payment's columns, with what was paid.
    """
    posted = ledger.purchase(
        row.account_id,
        row.credits,
        reference=f"stripe:{row.pk}",
        description="Credits bought",
        created_by=row.created_by_id,
    )
    row.paid_minor = facts["amount_total"]
    changes |= {
        "state": State.PAID,
        "purchase_id": posted.entry_id,
        "paid_minor": facts["amount_total"],
        "tax_minor": facts["tax"],
        "discount_minor": facts["discount"],
        "finished_at": Now(),
    }
    return posted.entry_id


def _names(facts: Facts) -> dict[str, str]:
    """Stripe's ids of it, and its link; an operator finds a payment by each id."""
    return {
        "intent_id": facts.intent_id,
        "charge_id": facts.charge_id,
        "invoice_id": facts.invoice_id,
        "url": facts.url,
    }


def _move(
    row: Payment, verdict: Verdict, facts: Facts, rows: Sequence[Reversal], changes: dict[str, Any]
) -> str:
    """Put the state into ``changes`` if it goes forward. Returns how the payment ended, if now."""
    state = verdict.state
    if _is_given_back(row, rows):
        state = None
    elif _came_back(row, rows):
        state = State.MISMATCH
        changes["last_error"] = "Stripe did not give back what a person wanted to give back"
    if state is None or state not in FORWARD[row.state]:
        return ""
    if state == State.PAID and not _is_to_be_reviewed(row):
        credit(row, facts.to_dict(), changes)
        return "paid"
    end = "review" if state == State.PAID else str(state)
    if state == State.PAID:
        state = State.MISMATCH
        changes["last_error"] = "a first purchase of so much is credited by a person"
    changes["state"] = state
    if state in UNFINISHED:
        return ""
    changes["finished_at"] = Now()
    return end


def _is_to_be_reviewed(row: Payment) -> bool:
    """Whether it is a first purchase, and so large that a person has to look at it."""
    above = settings.PURCHASE_REVIEW_FIRST_ABOVE
    if not above or row.amount_minor <= above:
        return False
    paid = Payment.objects.filter(
        account_id=row.account_id, livemode=row.livemode, state=State.PAID
    )
    return not paid.exists()


def _by_a_person(row: Payment, rows: Sequence[Reversal]) -> list[Reversal]:
    """The refunds that a person ordered for a mismatch, which got no credits."""
    if row.state != State.FAILED:
        return []
    return [each for each in rows if each.created_by_id is not None]


def _is_given_back(row: Payment, rows: Sequence[Reversal]) -> bool:
    return any(each.status in reversals.COUNTS for each in _by_a_person(row, rows))


def _came_back(row: Payment, rows: Sequence[Reversal]) -> bool:
    ours = _by_a_person(row, rows)
    return bool(ours) and not _is_given_back(row, rows)


def _taken(rows: Sequence[Reversal]) -> list[str]:
    return [row.provider_id or "" for row in rows if row.status in reversals.TAKEN]


def _tell(row: Payment, verdict: Verdict, end: str) -> None:
    """Count and log it, after the commit."""
    if end:
        metrics.ENDED.labels(end).inc()
        level = logging.ERROR if end in ("mismatch", "review") else logging.INFO
        logger.log(level, "payment %s ended: %s %s", row.pk, end, verdict.reason)
    if not verdict.known:
        logger.error("payment %s: %s", row.pk, verdict.reason)
        metrics.surprised("unknown_value")
