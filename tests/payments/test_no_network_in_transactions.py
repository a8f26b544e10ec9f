"""Stripe and Redis are never asked inside a transaction (docs/decisions.md, decision 10)."""

from __future__ import annotations

from payments import daily, interventions
from payments.books import check_payments
from payments.models.states import State
from payments.stripe.connection import connect
from tests.support.network_watch import Watch, watch
from tests.support.paying import Till
from tests.support.people import Person, make_staff

__all__ = ["watch"]


def test_a_whole_purchase_keeps_them_apart(till: Till, alice: Person, watch: Watch) -> None:
    payment = till.order(alice, told=True)
    till.pay(payment)
    till.until(payment, State.PAID)
    interventions.refund(payment, 100, by=make_staff())
    for _ in range(3):
        till.settled(payment)
    till.stripe.control("dispute", str(payment.pk)).raise_for_status()
    till.settled(payment)
    client = connect(till.worker.http)
    daily.look(client)
    check_payments(client)
    assert payment.reversed_credits == payment.credits
    assert watch.sent > 10
    assert watch.inside == []


def test_what_a_worker_orders_keeps_them_apart(till: Till, alice: Person, watch: Watch) -> None:
    payment = till.row(alice)
    assert till.settled(payment).state == State.OPEN
    assert watch.sent >= 2  # Stripe was asked for a customer and for a session
    assert watch.inside == []
