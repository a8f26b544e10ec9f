"""Making a payment due, so that Stripe is asked about it now. It credits nothing."""

from __future__ import annotations

import uuid
from datetime import timedelta
from functools import partial

from django.db import transaction
from django.db.models import Q
from django.db.models.functions import Now

from common.web import rate_limit
from payments.mode import livemode
from payments.models import Payment
from work.wake import wake

STAGE = "settle"


def ask_again(payment_id: uuid.UUID, at_most_every: timedelta) -> bool:
    """Make a payment due, unless it was within ``at_most_every``; return whether it is due now.

    For callers that may ask at will, such as a page that a customer keeps open.
    """
    seconds = max(1, round(at_most_every.total_seconds()))
    if not rate_limit.hit("payment-asked", 1, seconds, str(payment_id)).allowed:
        return False
    return make_due(payment_id)


def make_due(payment_id: uuid.UUID) -> bool:
    """Let Stripe be asked at once; return whether there is such a payment in our mode.

    A worker that holds the row then finds another time than the end of its lease, and keeps that
    time.
    """
    found = Payment.objects.filter(pk=payment_id, livemode=livemode())
    due = found.filter(Q(next_attempt_at__gt=Now()) | Q(next_attempt_at=None))
    made = due.update(next_attempt_at=Now())
    transaction.on_commit(partial(wake, STAGE))
    return bool(made) or found.exists()
