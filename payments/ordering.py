"""Asking Stripe for the link at which a payment is paid.

The row is committed before. A web process that dies in here leaves a row that is due: a worker
then asks again, in the same words.
"""

from __future__ import annotations

import logging
import time
from datetime import timedelta

from django.conf import settings
from django.db.models.functions import Least, Now
from stripe import StripeError

from common.crash import crash_point
from payments import metrics
from payments.models import Payment
from payments.models.states import State
from payments.stripe import orders
from payments.stripe.connection import PATIENCE, shared
from payments.stripe.errors import NoAnswer, Refused, meaning
from payments.stripe.orders import Link

logger = logging.getLogger(__name__)

FIRST_LOOK = 60.0  # seconds from the link to the first look at it
SOON = 2.0  # seconds until a worker asks for the link that a web request did not get


def ask_for_link(payment: Payment) -> Payment:
    """Ask Stripe once, for 8 s at most; return the row as it is then.

    It is ``open`` with its url, still ``created`` if Stripe did not answer, or ``failed`` if Stripe
    refused for good. Never inside a transaction: it talks to Stripe.
    """
    if payment.state != State.CREATED:
        return payment
    crash_point("checkout.after_row")
    outcome = _ask(payment)
    crash_point("checkout.after_answer")
    write_outcome(payment, outcome)
    payment.refresh_from_db()
    return payment


def write_outcome(payment: Payment, outcome: Link | NoAnswer | Refused) -> bool:
    """Write back what came of asking. False if another process has done so already."""
    row = Payment.objects.filter(pk=payment.pk, state=State.CREATED)
    if isinstance(outcome, Link):
        return bool(
            row.update(
                state=State.OPEN if outcome.url else State.CREATED,
                session_id=outcome.session_id,
                url=outcome.url,
                next_attempt_at=Least("next_attempt_at", _in(FIRST_LOOK)),
                last_error="",
            )
        )
    if isinstance(outcome, NoAnswer):
        logger.warning("no link of Stripe's for payment %s: %s", payment.pk, outcome.detail)
        soon = Least("next_attempt_at", _in(SOON))
        return bool(row.update(next_attempt_at=soon, last_error=outcome.detail))
    failed = bool(row.update(**refusal(payment, outcome), next_attempt_at=None))
    if failed:
        metrics.ENDED.labels("failed").inc()
    return failed


def refusal(payment: Payment, outcome: Refused) -> dict[str, object]:
    """Log that Stripe refused the payment's order for good; return the columns that say so."""
    logger.error("Stripe refused the order of payment %s: %s", payment.pk, outcome.detail)
    metrics.surprised("reused_key" if outcome.reused_key else "order_refused")
    return {
        "state": State.FAILED,
        "finished_at": Now(),
        "last_error": outcome.detail,
    }


def _ask(payment: Payment) -> Link | NoAnswer | Refused:
    """Ask for a customer if there is none, then for the link: 8 s for both calls together."""
    ends = time.monotonic() + PATIENCE
    order = orders.order_of(payment)
    customer_id = order.customer_id
    try:
        if customer_id is None:
            made = orders.make_customer(shared(PATIENCE / 2), order)
            customer_id = orders.keep_customer(payment, made.customer_id)
        left = PATIENCE if ends - time.monotonic() > PATIENCE * 0.9 else PATIENCE / 2
        return orders.make_link(shared(left), payment, customer_id)
    except StripeError as error:
        outcome = meaning(error)
        forget_lost_customer(payment, outcome)
        return outcome


def forget_lost_customer(payment: Payment, outcome: NoAnswer | Refused) -> None:
    """Drop our customer id if Stripe does not know it: the next payment asks for a new one."""
    lost = ("resource_missing", "customer")
    if isinstance(outcome, Refused) and (outcome.code, outcome.param) == lost:
        orders.drop_customer(payment)


def _in(seconds: float) -> object:
    return Now() + timedelta(seconds=seconds * settings.TIME_SCALE)
