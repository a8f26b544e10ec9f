"""When Stripe is asked again about a payment that no webhook woke.

Webhooks take seconds. If all of them are lost, each payment still ends by these times.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.conf import settings

from payments.models import Payment
from payments.models.states import State
from work.waits import jitter

MINUTE, HOUR, DAY = 60.0, 3600.0, 86_400.0  # seconds, as all times here before they are scaled
FIRST_LOOKS = (1 * MINUTE, 5 * MINUTE, 15 * MINUTE)
THEN_EVERY = 10 * MINUTE
LAST_LOOK = 2 * MINUTE  # after the link's end; Stripe has closed it by then
GIVEN_UP = 5 * MINUTE  # after the order, if there was no answer
NO_ANSWER = 30.0
SURPRISED = 10 * MINUTE  # after a word of Stripe's that we do not know
LONGEST_PAUSE = 30.0  # between two tries to get a link
SHORTEST_PAUSE = 2.0


def scaled(seconds: float) -> timedelta:
    return timedelta(seconds=seconds * settings.TIME_SCALE)


def is_given_up(payment: Payment) -> bool:
    """Whether no link came for so long that nobody asks for it any more."""
    return payment.claimed_at >= payment.created_at + scaled(GIVEN_UP)


def next_try(payment: Payment) -> datetime:
    """When to ask for the link again: soon at first, then less often."""
    age = (payment.claimed_at - payment.created_at).total_seconds() / settings.TIME_SCALE
    return payment.claimed_at + scaled(min(max(age / 2, SHORTEST_PAUSE), LONGEST_PAUSE))


def after_no_answer(payment: Payment) -> datetime:
    return payment.claimed_at + scaled(jitter(NO_ANSWER))


def after_a_surprise(payment: Payment) -> datetime:
    return payment.claimed_at + scaled(SURPRISED)


def next_look(payment: Payment, state: str, *, undecided: bool) -> datetime | None:
    """When to look at a payment that is in ``state`` now; None = not before something wakes it.

    ``undecided``: something is under way whose end we may not be told.
    """
    now = payment.claimed_at
    if state == State.OPEN:
        return _next_of_open(payment, now)
    if state == State.CREATED:
        return next_try(payment)
    if state == State.PROCESSING:
        return now + scaled(jitter(HOUR))
    if undecided:
        return now + scaled(jitter(DAY if state == State.PAID else HOUR))
    return None


def _next_of_open(payment: Payment, now: datetime) -> datetime:
    last = payment.expires_at + scaled(LAST_LOOK)
    if now >= last:
        return now + scaled(MINUTE)
    age = (now - payment.created_at).total_seconds() / settings.TIME_SCALE
    ahead = [offset for offset in FIRST_LOOKS if offset > age]
    if ahead:
        return min(payment.created_at + scaled(ahead[0]), last)
    passed = int((age - FIRST_LOOKS[-1]) // THEN_EVERY) + 1
    return min(payment.created_at + scaled(FIRST_LOOKS[-1] + passed * THEN_EVERY), last)
