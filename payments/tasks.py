"""The queue ``settle``: everything that is asked of Stripe outside of a web request."""

from __future__ import annotations

from functools import cache

from stripe import StripeClient

from payments.mode import payments_available
from payments.stage import SettleStage
from payments.stripe.connection import connect, transport
from work.heartbeat import beat
from work.process import run
from work.queue import app
from work.wake import taken


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
