"""The stage ``settle``: asks Stripe about payments that are due, and writes back what it says."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models.functions import Now
from stripe import StripeClient, StripeError

from common.crash import crash_point
from common.telemetry.redaction import cut_text
from payments import holding, metrics, ordering, reversals, schedule
from payments.mode import livemode
from payments.models import Payment, Reversal
from payments.models.states import ALL, UNFINISHED, State
from payments.settling import settle
from payments.stripe import orders, refunds
from payments.stripe.errors import NoAnswer, Refused, meaning
from payments.stripe.facts import Facts, Gone, fetch
from payments.stripe.orders import Customer, Link
from work import due
from work.stage import Done, Step


@dataclass(frozen=True, slots=True)
class Refunded:
    """What came of ordering one refund."""

    reversal: Reversal
    outcome: refunds.Made | NoAnswer | Refused


class SettleStage:
    """Works on every due payment, in any state: late money and refunds come after the end."""

    name = "settle"
    noun = "payment"
    concurrency = 20
    gathers = False
    gap = 0.0
    keeps_claiming = 0.0
    patience = 0.0

    def __init__(self, client: StripeClient) -> None:
        self.client = client

    def claim(self, limit: int) -> list[Payment]:
        """Lease due rows of our mode. With this key Stripe does not know those of the other."""
        condition = "livemode" if livemode() else "NOT livemode"
        return due.claim(Payment, ALL, limit, float(settings.LEASE), condition)

    def traces(self, rows: Sequence[Payment]) -> dict[Any, str]:
        return {}

    def start(self, payment: Payment) -> Step | None:
        """Fetch what Stripe has of it, or ask for the link if there is none yet."""
        if payment.session_id:
            return _in_time(fetch(self.client, payment.session_id))
        if payment.state == State.CREATED:
            # however late: the process that asked before may have died with Stripe's answer
            return self._order(payment)
        _write(payment, None)  # nobody ever got a link to it: there is nothing to ask about
        return None

    def _order(self, payment: Payment) -> Step:
        order = orders.order_of(payment)
        if order.customer_id is None:
            return _in_time(orders.make_customer_async(self.client, order))
        return _in_time(orders.make_link_async(self.client, payment, order.customer_id))

    def together(self, done: list[Done[Payment]]) -> list[Done[Payment]]:
        return done

    def finish(self, payment: Payment, outcome: Any) -> Step | None:
        """Write back what Stripe said, and go on with the next question if there is one."""
        if isinstance(outcome, StripeError | TimeoutError):
            outcome = meaning(outcome)
        if isinstance(outcome, Customer):
            customer_id = orders.keep_customer(payment, outcome.customer_id)
            return _in_time(orders.make_link_async(self.client, payment, customer_id))
        if isinstance(outcome, Facts):
            crash_point("settle.after_fetch")
            ours = settle(payment, outcome)
            crash_point("settle.after_commit")
            return self._refund(ours[0], outcome.intent_id) if ours else None
        if isinstance(outcome, Refunded):
            _write_refund(payment, outcome)
        elif isinstance(outcome, Link):
            _write_link(payment, outcome)
        elif isinstance(outcome, NoAnswer):
            _no_answer(payment, outcome)
        elif isinstance(outcome, Refused) and payment.session_id is None:
            ordering.forget_lost_customer(payment, outcome)
            _write(payment, None, **ordering.refusal(payment, outcome))
            metrics.ENDED.labels("failed").inc()
        elif isinstance(outcome, Gone | Refused):
            _gone(payment, outcome)
        else:
            raise outcome
        return None

    def _refund(self, reversal: Reversal, intent_id: str) -> Step:
        async def order() -> Refunded:
            try:
                made = await _in_time(refunds.order(self.client, reversal, intent_id))
            except (StripeError, TimeoutError) as error:
                return Refunded(reversal, meaning(error))
            return Refunded(reversal, made)

        return order()

    def hand_back(self, payments: list[Payment]) -> None:
        holding.hand_back(payments)

    def drop(self, payment: Payment, error: BaseException) -> None:
        """Our own code failed: the lease stays, so the row comes back when it ends."""
        holding.keep_error(payment, cut_text(f"{type(error).__name__}: {error}"))


async def _in_time(call: Coroutine[Any, Any, Any]) -> Any:
    """Await a call; an answer of several pages must not outlive the lease."""
    async with asyncio.timeout(settings.LEASE * 0.8):
        return await call


def _write(payment: Payment, at: datetime | None, **changes: Any) -> None:
    with transaction.atomic():
        row = holding.lock(payment)
        if row is not None:
            holding.release(row, payment, at, **changes)


def _write_link(payment: Payment, link: Link) -> None:
    changes: dict[str, Any] = {"session_id": link.session_id, "last_error": ""}
    state = State.CREATED
    if link.url:
        state = State.OPEN
        changes |= {"url": link.url, "state": state}
    _write(payment, schedule.next_look(payment, state, undecided=False), **changes)


def _no_answer(payment: Payment, outcome: NoAnswer) -> None:
    if payment.session_id is None and schedule.is_given_up(payment):
        reason = f"Stripe gave no link: {outcome.detail}"
        _write(payment, None, state=State.FAILED, finished_at=Now(), last_error=reason)
        metrics.ENDED.labels("failed").inc()
        return
    waits = schedule.next_try if payment.session_id is None else schedule.after_no_answer
    _write(payment, waits(payment), last_error=outcome.detail)


def _gone(payment: Payment, outcome: Gone | Refused) -> None:
    """Stripe knows no such Checkout Session, or does not let us ask: nothing was paid there.

    Before the link's end that is not final, so that a person may find out why.
    """
    metrics.surprised("unknown_value")
    last = payment.expires_at + schedule.scaled(schedule.LAST_LOOK)
    at = schedule.after_a_surprise(payment)
    open_states = (State.CREATED, State.OPEN)
    if isinstance(outcome, Gone) and payment.claimed_at >= last and payment.state in open_states:
        changes = {"state": State.EXPIRED, "finished_at": Now(), "last_error": outcome.detail}
        _write(payment, None, **changes)
        metrics.ENDED.labels("expired").inc()
        return
    if payment.state in open_states and payment.claimed_at < last:
        at = min(at, last)
    over = isinstance(outcome, Gone) and payment.state not in UNFINISHED
    _write(payment, None if over else at, last_error=outcome.detail)


def _write_refund(payment: Payment, done: Refunded) -> None:
    """Write Stripe's answer to a refund, and be due at once: the facts are fetched again.

    If Stripe refused, that gives the credits back.
    """
    with transaction.atomic():
        row = holding.lock(payment)
        if row is None:
            return
        at: datetime = payment.claimed_at
        if isinstance(done.outcome, NoAnswer):
            at = schedule.after_no_answer(payment)
        else:
            reversals.write_answer(done.reversal, done.outcome)
        holding.release(row, payment, at)
