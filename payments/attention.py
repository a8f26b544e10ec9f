"""What a person should look at; the operators' pages, dashboard and alerts ask the same."""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings
from django.db.models import QuerySet
from django.utils import timezone

from payments.mode import livemode, payments_available
from payments.models import Payment, Reversal
from payments.models.reversal import TO_ANSWER
from payments.models.states import State

STUCK_SECONDS = 600.0  # times TIME_SCALE, as all times of a payment
MOST_DISPUTED = 5_000  # payments of the newest disputes


def stuck() -> QuerySet[Payment]:
    """Payments that have been due for so long that nobody can be working on them.

    Payments of the other mode are left out, and without a key all are: nobody should work on them.
    Read by the index ``payment_due``.
    """
    if not payments_available():
        return Payment.objects.none()
    waited = timedelta(seconds=STUCK_SECONDS * settings.TIME_SCALE)
    ours = Payment.objects.filter(livemode=livemode())
    return ours.filter(next_attempt_at__lt=timezone.now() - waited)


def mismatched() -> QuerySet[Payment]:
    """Payments whose money arrived, but whose facts differ from what was agreed."""
    return Payment.objects.filter(state=State.MISMATCH)


def disputed() -> QuerySet[Payment]:
    """Payments with a dispute, decided or not."""
    disputes = Reversal.objects.filter(kind=Reversal.Kind.DISPUTE)
    newest = disputes.order_by("-created_at", "-id").values("payment")[:MOST_DISPUTED]
    return Payment.objects.filter(pk__in=newest)


def to_answer() -> QuerySet[Reversal]:
    """Disputes that are lost if nobody answers in Stripe's dashboard, the most urgent first."""
    disputes = Reversal.objects.filter(kind=Reversal.Kind.DISPUTE, status__in=TO_ANSWER)
    return disputes.order_by("due_by")
