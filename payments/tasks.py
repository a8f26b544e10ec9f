"""The queue ``settle``: everything that is asked of Stripe outside of a web request."""

from __future__ import annotations

from contextlib import suppress
from functools import cache, partial

from django.db import close_old_connections
from stripe import StripeClient
from structlog.contextvars import bound_contextvars

from credits import nightly
from payments.books import check_payments
from payments.daily import look
from payments.mode import payments_available
from payments.stage import SettleStage
from payments.stripe.connection import connect, transport
from work.heartbeat import beat
from work.process import counted, is_stopping, run
from work.queue import app
from work.wake import taken

# Seconds that a look through Stripe's lists may take, and seconds to end it then: within the lease
LONGEST, GRACE = 3000, 60
CHECK = "check_payments"  # the command that does the same by hand


@cache
def _client() -> StripeClient:
    """This process's, for its one event loop."""
    return connect(transport())


@app.task(name="payments.settle")
def settle() -> None:
    """Ask Stripe about the payments that are due."""
    if not payments_available():  # the row of a payment outlives the key
        taken("settle")
        beat("settle")
        return
    run("settle", lambda: SettleStage(_client()))


@app.task(name="payments.daily", soft_time_limit=LONGEST, time_limit=LONGEST + GRACE)
def daily() -> None:
    """Look for refunds and disputes that nobody told us of; check the payments, once a night."""
    taken("payments")
    beat("payments")
    if not payments_available():
        return
    close_old_connections()
    with bound_contextvars(stage="payments"), suppress(nightly.Stopped):
        counted("payments", lambda: look(_client(), _go_on))
        check = partial(check_payments, _client(), _go_on)
        counted("payments", lambda: nightly.check(CHECK, check))


def _go_on() -> None:
    """Signs of life of all that wait for this process meanwhile; ends when it was told to end."""
    beat("payments")
    beat("settle")
    if is_stopping():
        raise nightly.Stopped
