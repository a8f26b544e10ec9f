"""The verbs of a payment's page: what each says and does."""

from __future__ import annotations

from typing import Any, Self

from django import forms
from django.core.validators import MaxValueValidator

from accounts.models import User
from payments import interventions, reversals
from payments.models import Payment
from payments.models.states import State
from staff import payments
from staff.pages.amounts import money
from staff.pages.forms import CentsField, ReasonForm, Sent
from staff.pages.payment_history import arrived
from staff.pages.verb import Verb


class RefundForm(ReasonForm):
    """How much of the money goes back, and why.

    ``reversals`` is how many there were when the form was opened: a form sent twice refunds once.
    """

    amount_minor = CentsField(label="Amount", min_value=1)
    reversals = forms.IntegerField(min_value=0, widget=forms.HiddenInput())
    field_order = ("amount_minor", "reason", "reversals")

    @classmethod
    def of(cls, actor: User, target: Payment, sent: Sent) -> Self:
        """Filled in with what the customer has not spent."""
        most = interventions.refundable(target)
        first = {
            "amount_minor": interventions.default_refund(target) or None,
            "reversals": target.reversals.count(),
        }
        form = cls(sent, initial=first)
        if _is_disputed(target):
            form.obstacle = "The bank has the money back already: the payment is disputed."
        field: Any = form.fields["amount_minor"]
        field.validators.append(MaxValueValidator(most))
        field.help_text = f"In cents: {most} is {money(most, target.currency)}, all that is left."
        return form


def _refund(payment: Payment) -> str:
    paid = money(payment.paid_minor, payment.currency)
    unspent = money(interventions.default_refund(payment), payment.currency)
    balance, left = payment.account.wallet.balance, payment.credits - payment.reversed_credits
    return (
        f"{payment.account} paid {paid} for {payment.credits:,} credits, of which {left:,} were not"
        f" taken back yet, and has {balance:,} in all: {unspent} is unspent. The credits are taken"
        " back at once, even below 0, and then Stripe gives the money back. If Stripe refuses, the"
        " credits come back by themselves."
    )


def _credit(payment: Payment) -> str:
    return (
        f"Gives {payment.account} the {payment.credits:,} credits that were sold for"
        f" {money(payment.amount_minor, payment.currency)}. Stripe took {arrived(payment)}. Why"
        f" nobody did so far: {payment.last_error or 'nothing is known'}."
    )


def _refund_mismatch(payment: Payment) -> str:
    return (
        f"Stripe gives all of the {arrived(payment)} back that it took, and the payment fails."
        " Nothing was credited, so nothing is taken back."
    )


def _has_money_left(payment: Payment) -> bool:
    paid = payment.state == State.PAID and not _is_disputed(payment)
    return paid and interventions.refundable(payment) > 0


def _is_disputed(payment: Payment) -> bool:
    return reversals.is_disputed(reversals.rows_of(payment))


ASK = Verb(
    name="ask",
    title="Ask Stripe again",
    explanation=(
        "A worker asks Stripe within seconds what became of the payment, and posts what is missing."
        " It changes nothing that Stripe does not say."
    ),
    permission="payments.ask_stripe",
    do=payments.ask_again,
    icon="sync",
)
REFUND = Verb(
    name="refund",
    title="Refund",
    explanation=_refund,
    form=RefundForm,
    permission="payments.refund_payment",
    possible=_has_money_left,
    do=payments.refund,
    icon="undo",
)
CREDIT = Verb(
    name="credit",
    title="Credit",
    explanation=_credit,
    permission="payments.credit_payment",
    possible=lambda payment: payment.state == State.MISMATCH,
    do=payments.credit,
    icon="add_card",
)
REFUND_MISMATCH = Verb(
    name="refund_mismatch",
    title="Refund",
    explanation=_refund_mismatch,
    permission="payments.refund_payment",
    possible=lambda payment: payment.state == State.MISMATCH,
    do=payments.refund_mismatch,
    path="refund-mismatch",
    icon="undo",
)
VERBS = (ASK, REFUND, CREDIT, REFUND_MISMATCH)
