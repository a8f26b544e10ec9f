"""What a member of staff does to one generation by hand: try again, end early, cancel.

Every verb is one transaction and decides under the row's lock. A refusal has a sentence for the
operator. The event says who did it and why; the caller writes the audit entry in the same
transaction (``staff/generations.py``).
"""

from __future__ import annotations

import uuid
from dataclasses import replace
from typing import Any, Literal

from django.db import transaction

from accounts.caller import Caller
from accounts.models import User
from common.errors import ApiError
from credits import ledger
from generation import creation, lifecycle
from generation.inputs.images import first_unusable
from generation.models import Generation, reasons
from generation.models.states import OPEN, TERMINAL, UNDELIVERED, State
from generation.offer import catalog
from generation.offer.parameters import Parameters, why_not_sold
from generation.offer.pricing import price_of
from generation.order import CreateResult, Order
from generation.transitions import end_undelivered

PaidBy = Literal["charge", "grant"]
ENDED_BY_HAND = "The generation could not be finished and was refunded"  # to the customer


class NotAllowed(ApiError):
    """409: the generation is not in a state for it; the sentence is for the operator."""

    status_code = 409
    default_code = "not_allowed"


def order_again(
    generation: Generation, *, actor: User, reason: str, paid_by: PaidBy, token: uuid.UUID
) -> CreateResult:
    """Order the same again at today's price: a new generation, whose ``retry_of`` is this one.

    With ``charge`` the account pays once more. With ``grant`` it first gets as many credits as the
    new one costs; if that is not delivered, they are taken back together with the refund.
    The same ``token`` orders once, however often it is sent. Raises NotAllowed and what
    ``creation.create`` raises; then nothing was written, not even the grant.
    """
    with transaction.atomic():
        lost = _locked(generation, reason)
        order = _order(lost, actor, reason, paid_by, token)
        key = str(order.idempotency_key)
        if (before := creation.replay(order.caller, key, order.path, order.body)) is not None:
            return before
        _refuse_to_retry(lost)
        if paid_by == "grant":
            posted = ledger.grant(
                lost.account_id,
                order.price,
                description=f"To try {lost.pk} again",  # the customer reads it
                created_by=actor.pk,
                reference=key,  # as the row's own key, which the database compares
            )
            order = replace(order, grant=posted.entry_id)
        return creation.create(order)


def fail_and_refund(generation: Generation, *, actor: User, reason: str) -> State:
    """End an open generation as failed and refund it; return the state that it was in.

    A worker that holds it is fenced off; what the provider still delivers becomes an orphan. Raises
    NotAllowed when it is over.
    """
    with transaction.atomic():
        row = _locked(generation, reason)
        if row.state in TERMINAL:
            message = f"It is {row.state} already: only what is open can be ended and refunded"
            raise NotAllowed(message)
        code = "provider_error"
        end_undelivered(
            row,
            OPEN,
            State.FAILED,
            f"Refund: {code}, by staff",
            data={"code": code, **_event_data(actor, reason)},
            lease=False,
            last_error=f"Ended by {actor.username}: {reason}; before that: {row.last_error or '-'}",
            **reasons.columns(code, ENDED_BY_HAND, retryable=True),
        )
        return State(row.state)


def cancel(generation: Generation, *, actor: User, reason: str) -> State:
    """Cancel a generation that nothing can have been bought for; return the state it was in.

    Raises NotAllowed for every other one. What may have been bought can be failed and refunded.
    """
    with transaction.atomic():
        row = _locked(generation, reason)
        if row.state in TERMINAL:
            raise NotAllowed(f"It is {row.state} already")
        if not lifecycle.is_cancelable(row):
            message = "The provider may have accepted it: it can only be failed and refunded"
            raise NotAllowed(message)
        end_undelivered(
            row,
            [State.QUEUED],
            State.CANCELED,
            "Refund: canceled",
            data=_event_data(actor, reason),
            lease=False,
        )
        return State(row.state)


def _locked(generation: Generation, reason: str) -> Generation:
    if not reason.strip():
        raise NotAllowed("A reason is required")
    rows = Generation.objects.select_related("model", "account").select_for_update(of=("self",))
    return rows.get(pk=generation.pk)


def _event_data(actor: User, reason: str) -> dict[str, Any]:
    """What the event says besides what happened."""
    return {"staff": actor.username, "reason": reason}


def _order(lost: Generation, actor: User, reason: str, paid_by: PaidBy, token: uuid.UUID) -> Order:
    return Order(
        caller=Caller(account_id=lost.account_id, user_id=actor.pk),
        model=lost.model,
        prompt=lost.prompt,
        parameters=Parameters.of(lost.kind, lost.parameters),
        idempotency_key=f"staff-retry-{token}",
        path="retry",
        body={"retry_of": str(lost.pk), "paid_by": paid_by},
        retry_of=lost.pk,
        webhook_url=lost.webhook_url,
        event_data={"retry_of": str(lost.pk), "paid_by": paid_by, **_event_data(actor, reason)},
    )


def _refuse_to_retry(lost: Generation) -> None:
    """Raise NotAllowed unless this can be ordered again; the row's lock keeps it so."""
    if (sentence := why_not_retry(lost)) is not None:
        raise NotAllowed(sentence)


def why_not_retry(lost: Generation) -> str | None:
    """Why it cannot be ordered again; None when it can."""
    if lost.state not in UNDELIVERED:
        return f"It is {lost.state}: only what failed or was canceled can be tried again"
    if not lost.prompt:
        return "Its prompt was erased when its retention ended: it cannot be made again"
    if lost.account.suspended_at is not None:
        return "The account is suspended"
    return _why_not_sold(lost) or _why_not_again(lost) or _why_no_images(lost)


def price_today(lost: Generation) -> int:
    """What the same costs now, in credits. Only if ``why_not_retry`` is None."""
    return price_of(lost.model, Parameters.of(lost.kind, lost.parameters))


def _why_not_sold(lost: Generation) -> str | None:
    model = lost.model
    if model not in catalog.on_sale(model.kind):
        return f"{model.name} is no longer on sale"
    return why_not_sold(model, Parameters.of(lost.kind, lost.parameters))


def _why_no_images(lost: Generation) -> str | None:
    """Why its source images are of no use. An expired upload is, as long as its file exists."""
    if first_unusable(lost.account_id, lost.source_image_urls, expired=True) is None:
        return None
    return "Its uploaded images were deleted: it cannot be made again"


def _why_not_again(lost: Generation) -> str | None:
    """Two operators with the same page open must not buy the same for a customer twice."""
    again = lost.retried_by.exclude(state__in=UNDELIVERED).first()
    return None if again is None else f"It was tried again already: {again.pk} is {again.state}"
