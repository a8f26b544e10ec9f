"""An operator under fire: refunds what was paid, decides on mismatches, lets accounts buy again.

A program of its own, which is killed like the others. It calls the verbs that the pages call.
"""

from __future__ import annotations

import os
import random
import time
from pathlib import Path

from django.db import DatabaseError, InterfaceError, connections

from accounts.models import Account, User
from payments import interventions
from payments.interventions import NotAllowed
from payments.models import Payment
from payments.models.states import State

PAUSE = 1.5  # seconds between two verbs, on average
MISMATCHES = 0.3  # the share of the verbs that are about one
NEWEST = 200
NAME = "operator"


def main() -> None:
    """Work until somebody kills this, or puts a file into the way that CHAOS_REST names."""
    chance = random.Random()
    rest = Path(os.environ["CHAOS_REST"])
    while True:
        time.sleep(chance.uniform(0, 2 * PAUSE))
        if rest.exists():
            continue
        try:
            work(chance)
        except NotAllowed as error:
            print(f"not allowed: {error}", flush=True)
        except (DatabaseError, InterfaceError) as error:
            print(f"{type(error).__name__}: {error}", flush=True)
            connections.close_all()


def work(chance: random.Random) -> None:
    """One verb on a payment that is drawn, and the end of every hold."""
    for account in Account.objects.filter(payment_hold_at__isnull=False):
        interventions.release_hold(account)
    state = State.MISMATCH if chance.random() < MISMATCHES else State.PAID
    found = list(Payment.objects.filter(state=state).order_by("-created_at")[:NEWEST])
    if not found:
        return
    by, _ = User.objects.get_or_create(username=NAME, email="operator@example.com")
    decide(chance, chance.choice(found), by)


def decide(chance: random.Random, payment: Payment, by: User) -> None:
    """Refund or credit a mismatch, or leave it; refund some of what was paid."""
    if payment.state == State.PAID:
        most = interventions.refundable(payment)
        amount = chance.choice([most, most // 3, interventions.default_refund(payment), 1])
        interventions.refund(payment, amount, by=by)
    elif (drawn := chance.random()) < 0.4:
        interventions.refund(payment, payment.amount_minor, by=by)
    elif drawn < 0.8:
        interventions.credit(payment)
    else:
        interventions.ask_again(payment)
