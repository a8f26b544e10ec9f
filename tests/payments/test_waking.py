"""Whoever keeps a page open may have Stripe asked, and not oftener than allowed."""

from __future__ import annotations

import uuid
from datetime import timedelta

from payments.models import Payment
from payments.models.states import State
from payments.waking import ask_again, make_due
from tests.support.paying import Till
from tests.support.people import Person

EVERY = timedelta(seconds=5)


def test_a_page_that_asks_each_second_is_heard_once(till: Till, alice: Person) -> None:
    payment, other = till.order(alice), till.order(alice)
    till.pay(payment)
    assert ask_again(payment.pk, EVERY)
    assert till.settle() == 1
    payment.refresh_from_db()
    assert payment.state == State.PAID
    assert not ask_again(payment.pk, EVERY)
    assert till.settle() == 0
    assert ask_again(other.pk, EVERY)
    assert ask_again(payment.pk, timedelta(seconds=6))  # a window of another length


def test_what_is_due_already_keeps_its_place(till: Till, alice: Person) -> None:
    payment = till.order(alice)
    assert make_due(payment.pk)
    first = Payment.objects.get(pk=payment.pk).next_attempt_at
    assert make_due(payment.pk)
    assert Payment.objects.get(pk=payment.pk).next_attempt_at == first


def test_nobody_wakes_what_is_not_there_or_of_the_other_mode(till: Till, alice: Person) -> None:
    live = till.row(alice, livemode=True)
    assert not make_due(uuid.uuid4())
    assert not ask_again(live.pk, EVERY)
    at = live.next_attempt_at
    live.refresh_from_db()
    assert live.next_attempt_at == at
