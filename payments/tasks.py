"""The queue ``settle``: everything that is asked of Stripe outside of a web request."""

from __future__ import annotations

from contextlib import suppress
from functools import cache, partial

from stripe import StripeClient

from credits import nightly
from payments.books import check_payments
from payments.daily import look
from payments.mode import payments_available
from payments.stage import SettleStage
from payments.stripe.connection import connect, transport
from work.heartbeat import beat
from work.process import counted, is_stopping, run, task_of
from work.queue import app

# Seconds that a look through Stripe's lists may take, then seconds to end: within the lease
LONGEST, GRACE = 3000, 60
CHECK = "check_payments"  # the command that does the same by hand


@cache
def _client() -> StripeClient:
    """The client of this process's one event loop."""
    return connect(transport())


@app.task(name="payments.settle")
def settle() -> None:
    """Ask Stripe about the payments that are due."""
    if not payments_available():  # the row of a payment outlives the key
        with task_of("settle"):
            return
    run("settle", lambda: SettleStage(_client()))


@app.task(name="payments.daily", soft_time_limit=LONGEST, time_limit=LONGEST + GRACE)
def daily() -> None:
    """Look for refunds and disputes that nobody told us of; check the payments, once a night."""
    with task_of("payments"), suppress(nightly.Stopped):
        if not payments_available():
            return
        counted("payments", lambda: look(_client(), _go_on))
        check = partial(check_payments, _client(), _go_on)
        counted("payments", lambda: nightly.check(CHECK, check))


def _go_on() -> None:
    """Give signs of life for the queues that wait meanwhile. Raises Stopped when told to end."""
    beat("payments")
    beat("settle")
    if is_stopping():
        raise nightly.Stopped
