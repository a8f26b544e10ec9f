"""Refunds and disputes take credits back, pro rata and cumulatively.

The sum decides, not the single refund: a take that rounds to 0 is in the next one, and the last one
takes the exact rest. All of it belongs into a transaction that has locked the payment.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from django.db.models.functions import Now

from accounts.models import Account
from credits import ledger
from payments import metrics
from payments.models import Payment, Reversal
from payments.stripe.errors import Refused
from payments.stripe.facts import DisputeFact, Facts, RefundFact
from payments.stripe.refunds import Made

logger = logging.getLogger(__name__)

ORDERED = "ordered"  # by an operator of ours; Stripe does not know it yet
REFUSED = "refused"  # by Stripe, when we ordered it

# Stripe's words for a refund: it counts, or its money came back to us.
COUNTS = {ORDERED, "pending", "requires_action", "succeeded"}
CAME_BACK = {REFUSED, "failed", "canceled"}
# Stripe's words for a dispute: the money is gone; no money moved; the money came back.
TAKEN = {"needs_response", "under_review", "appeal_needs_response", "appeal_under_review", "lost"}
MOVES_NOTHING = {"warning_needs_response", "warning_under_review", "warning_closed", "prevented"}
WON = {"won"}
# These will still change.
UNDECIDED = {
    *(ORDERED, "pending", "requires_action", "needs_response", "under_review"),
    *("appeal_needs_response", "appeal_under_review"),
    *("warning_needs_response", "warning_under_review"),
}
REFUND, DISPUTE = Reversal.Kind.REFUND, Reversal.Kind.DISPUTE


def match(payment: Payment, facts: Facts) -> list[Reversal]:
    """Bring our rows up to what Stripe says; return all rows of the payment, the oldest first.

    A refund that carries the id of one of our rows is that row, and takes no credits twice.
    """
    rows = rows_of(payment)
    for fact in facts.refunds:
        if fact.status not in COUNTS | CAME_BACK:
            _unknown(payment, f"refund {fact.id} is {fact.status!r}")
            continue
        row = _row_of(rows, fact.id) or _ordered_by_us(rows, fact)
        _keep(payment, rows, row, fact, REFUND, None)
    for dispute in facts.disputes:
        if dispute.status not in TAKEN | MOVES_NOTHING | WON:
            _unknown(payment, f"dispute {dispute.id} is {dispute.status!r}")
            continue
        due_by = datetime.fromtimestamp(dispute.due_by, UTC) if dispute.due_by else None
        row = _row_of(rows, dispute.id)
        was = row.status if row else ""
        kept = _keep(payment, rows, row, dispute, DISPUTE, due_by)
        if kept.status in TAKEN and was not in TAKEN:
            _opened(payment, kept)
    return rows


def rows_of(payment: Payment) -> list[Reversal]:
    """The payment's reversals with their ledger entries, which all get added up."""
    found = payment.reversals.select_related("entry", "reinstated")
    return list(found.order_by("created_at", "id"))


def post(payment: Payment, rows: Sequence[Reversal]) -> int:
    """Write the missing ledger entries; return how many credits are taken back after them.

    The target is all credits while a dispute holds the money, else the share of the refunds that
    stand. What came back is reinstated, but only down to the target: another refund may have found
    less left to take than its share. If one that stands has no entry yet, more is reinstated and
    that one takes its share, because an entry can be reinstated only once.
    """
    disputed = is_disputed(rows)
    target = payment.credits if disputed else _share(payment, live_minor(rows))
    reversed_credits = payment.reversed_credits
    floor = min(target, _taken_by_the_rest(rows)) if _is_taking(rows, disputed) else target
    for row in rows:
        if row.status in CAME_BACK | WON and row.entry is not None and row.reinstated is None:
            amount = min(-row.entry.amount, reversed_credits - floor)
            reversed_credits -= _reinstate(payment, row, amount)
    counted = sum(row.amount_minor for row in rows if _is_counted(row))
    for row in rows:
        if row.kind == REFUND and row.status in COUNTS and row.entry is None:
            counted += row.amount_minor
            take = _share(payment, counted) - reversed_credits
            reversed_credits += _take(payment, row, take, "Payment refunded")
    for row in rows:
        if row.kind == DISPUTE and row.status in TAKEN and row.entry is None:
            take = payment.credits - reversed_credits
            reversed_credits += _take(payment, row, take, "Payment disputed")
    return reversed_credits


def is_undecided(rows: Sequence[Reversal]) -> bool:
    """Whether one of them will still change."""
    return any(row.status in UNDECIDED for row in rows)


def to_order(rows: Sequence[Reversal]) -> list[Reversal]:
    """The refunds that we ordered and that Stripe does not know yet."""
    return [row for row in rows if row.status == ORDERED and row.provider_id is None]


def live_minor(rows: Sequence[Reversal]) -> int:
    """The money of all refunds that stand, in the minor unit."""
    return sum(row.amount_minor for row in rows if row.kind == REFUND and row.status in COUNTS)


def write_answer(row: Reversal, outcome: Made | Refused) -> None:
    """Write what Stripe answered to our order of a refund: taken, or refused for good."""
    if isinstance(outcome, Refused):
        logger.error("Stripe refused refund %s: %s", row.pk, outcome.detail)
        metrics.surprised("refund_refused")
        Reversal.objects.filter(pk=row.pk, provider_id=None).update(status=REFUSED)
    elif outcome.status in COUNTS | CAME_BACK:
        Reversal.objects.filter(pk=row.pk).update(
            provider_id=outcome.refund_id, status=outcome.status
        )


def is_disputed(rows: Sequence[Reversal]) -> bool:
    return any(row.kind == DISPUTE and row.status in TAKEN for row in rows)


def hold_account(payment: Payment, rows: Sequence[Reversal], known: Sequence[str]) -> None:
    """Stop the account's purchases after a dispute that was not ``known`` before.

    A person lifts the hold. Called after the ledger's entries: a charge locks the wallet first and
    the account second.
    """
    new = [row for row in rows if row.status in TAKEN and row.provider_id not in known]
    if any(row.kind == DISPUTE for row in new):
        Account.objects.filter(pk=payment.account_id, payment_hold_at=None).update(
            payment_hold_at=Now(), payment_hold_reason=f"payment {payment.pk} is disputed"
        )


def _share(payment: Payment, counted: int) -> int:
    """The credits that ``counted`` of the money paid for."""
    paid = payment.paid_minor or 0
    return payment.credits * min(counted, paid) // paid if paid else 0


def _is_live(row: Reversal) -> bool:
    return row.status in (COUNTS if row.kind == REFUND else TAKEN)


def _is_taking(rows: Sequence[Reversal], disputed: bool) -> bool:
    """Whether one that stands has no entry yet and takes its share now; disputes come first."""
    kinds = (DISPUTE,) if disputed else (REFUND,)
    return any(_is_live(row) and row.entry is None and row.kind in kinds for row in rows)


def _taken_by_the_rest(rows: Sequence[Reversal]) -> int:
    return sum(-row.entry.amount for row in rows if _is_live(row) and row.entry is not None)


def _is_counted(row: Reversal) -> bool:
    return row.kind == REFUND and row.status in COUNTS and row.entry is not None


def _take(payment: Payment, row: Reversal, amount: int, why: str) -> int:
    if amount <= 0:
        return 0
    posted = ledger.reverse(payment.account_id, amount, reversal_id=row.pk, description=why)
    row.entry_id = posted.entry_id
    row.save(update_fields=["entry"])
    metrics.REVERSED.inc(amount)
    return amount


def _reinstate(payment: Payment, row: Reversal, amount: int) -> int:
    if amount <= 0:
        return 0
    posted = ledger.reinstate(
        payment.account_id, amount, reversal_id=row.pk, description="Payment reinstated"
    )
    row.reinstated_id = posted.entry_id
    row.save(update_fields=["reinstated"])
    return amount


def _row_of(rows: Sequence[Reversal], provider_id: str) -> Reversal | None:
    return next((row for row in rows if row.provider_id == provider_id), None)


def _ordered_by_us(rows: Sequence[Reversal], fact: RefundFact) -> Reversal | None:
    return next(
        (row for row in rows if row.provider_id is None and str(row.pk) == fact.reversal), None
    )


def _keep(
    payment: Payment,
    rows: list[Reversal],
    row: Reversal | None,
    fact: RefundFact | DisputeFact,
    kind: Reversal.Kind,
    due_by: datetime | None,
) -> Reversal:
    values: dict[str, Any] = {"provider_id": fact.id, "status": fact.status, "due_by": due_by}
    if row is None:
        values |= {"kind": kind, "amount_minor": fact.amount}
        row = Reversal.objects.create(payment=payment, **values)
        rows.append(row)
    elif any(getattr(row, name) != value for name, value in values.items()):
        for name, value in values.items():
            setattr(row, name, value)
        row.save(update_fields=list(values))
    return row


def _opened(payment: Payment, row: Reversal) -> None:
    logger.error(
        "payment %s is disputed: answer %s until %s", payment.pk, row.provider_id, row.due_by
    )
    metrics.surprised("dispute")


def _unknown(payment: Payment, what: str) -> None:
    logger.error("payment %s: %s, which we do not know", payment.pk, what)
    metrics.surprised("unknown_value")
