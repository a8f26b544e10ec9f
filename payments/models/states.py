"""The states of a payment. States only go forward (payments/migrations/0002_guards.py)."""

from __future__ import annotations

from django.db import models


class State(models.TextChoices):
    """The public words of ``status``."""

    CREATED = "created"  # stored; Stripe has not given the link yet
    OPEN = "open"  # the link can be paid
    PROCESSING = "processing"  # the customer is through, the bank is not
    PAID = "paid"  # credited, once
    EXPIRED = "expired"
    FAILED = "failed"
    MISMATCH = "mismatch"  # money arrived, but the facts differ: a person looks at it


# payments in these states are scheduled: a worker has to end them
UNFINISHED = (State.CREATED, State.OPEN, State.PROCESSING)
# what is due may be in any state: late money, a refund, a dispute
ALL = tuple(State)
