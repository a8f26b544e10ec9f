"""Which state Stripe's facts stand for. No table is read here, and nobody is asked."""

from __future__ import annotations

from dataclasses import dataclass

from django.conf import settings

from payments.models import Payment
from payments.models.states import State
from payments.stripe.facts import Facts

# The states of a bank debit's intent: while it is under way, and when nothing will come of it.
UNDER_WAY = {"processing", "requires_action", "requires_confirmation", "requires_capture"}
OVER = {"requires_payment_method", "canceled"}


@dataclass(frozen=True, slots=True)
class Verdict:
    """``state`` is where the payment belongs; whether it may go there is asked later.

    ``known`` is False for a word of Stripe's that we do not know. Then nothing changes.
    """

    state: State | None
    reason: str = ""
    known: bool = True


def judge(payment: Payment, facts: Facts) -> Verdict:
    """The state that the facts stand for."""
    status, paid = facts.status, facts.payment_status
    if status == "open":
        return Verdict(State.OPEN if facts.url else None)
    if status == "expired" and paid == "unpaid":
        return Verdict(State.EXPIRED, "nobody paid before the link ended")
    if status == "complete" and paid == "unpaid":
        return _of_a_debit(facts)
    if status == "complete" and paid in ("paid", "no_payment_required"):
        differences = _differences(payment, facts)
        if differences:
            return Verdict(State.MISMATCH, "; ".join(differences))
        return Verdict(State.PAID)
    return Verdict(None, f"unknown: status {status!r}, payment_status {paid!r}", known=False)


def _of_a_debit(facts: Facts) -> Verdict:
    if facts.intent_status in UNDER_WAY:
        return Verdict(State.PROCESSING)
    if facts.intent_status in OVER:
        return Verdict(State.FAILED, "the bank refused")
    if facts.intent_status == "succeeded":
        return Verdict(State.PROCESSING)  # its Checkout Session will say so in a moment
    return Verdict(None, f"unknown: intent {facts.intent_status!r}", known=False)


def _differences(payment: Payment, facts: Facts) -> list[str]:
    """What Stripe holds that was not ordered. Tax and discounts change no ``amount_subtotal``."""
    pairs = {
        "client_reference_id": (facts.reference, str(payment.pk)),
        "metadata": (facts.named, str(payment.pk)),
        "livemode": (facts.livemode, payment.livemode),
        "currency": (facts.currency, payment.currency),
        "amount_subtotal": (facts.amount_subtotal, payment.amount_minor),
        "line items": (facts.items, 1),
    }
    found = [
        f"{name} is {theirs!r}, not {ours!r}"
        for name, (theirs, ours) in pairs.items()
        if theirs != ours
    ]
    if facts.payment_status == "no_payment_required" and (
        facts.amount_total != 0 or not settings.STRIPE_PROMOTIONS
    ):
        found.append("nothing had to be paid, and no promotion code can have been the reason")
    return found
