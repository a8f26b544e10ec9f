"""Control run no-look-at-payment-status: who is through Stripe's page is taken for a payer."""

from __future__ import annotations

from payments import judging
from payments.judging import Verdict
from payments.models.states import State
from payments.stripe.facts import Facts


def paid_already(facts: Facts) -> Verdict:
    """In the place of what asks the bank: a Checkout Session that is complete is credited."""
    del facts
    return Verdict(State.PAID)


judging._of_a_debit = paid_already
