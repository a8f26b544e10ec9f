"""Stripe's lists, read to their end: what was made since a moment. No transaction may be open."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from stripe import Dispute, PaymentIntent, Refund, StripeClient
from stripe.checkout import Session

PAGE = 100  # the most that Stripe gives at once


def sessions(client: StripeClient, since: datetime) -> Iterator[Session]:
    """Checkout Sessions that customers came through."""
    moment = int(since.timestamp())
    page = client.v1.checkout.sessions.list(
        {"created": {"gte": moment}, "status": "complete", "limit": PAGE}
    )
    yield from page.auto_paging_iter()


def refunds(client: StripeClient, since: datetime) -> Iterator[Refund]:
    moment = int(since.timestamp())
    page = client.v1.refunds.list({"created": {"gte": moment}, "limit": PAGE})
    yield from page.auto_paging_iter()


def disputes(client: StripeClient, since: datetime) -> Iterator[Dispute]:
    moment = int(since.timestamp())
    page = client.v1.disputes.list({"created": {"gte": moment}, "limit": PAGE})
    yield from page.auto_paging_iter()


def intent_of(found: Refund | Dispute) -> str:
    """The id of the payment intent that it is about; empty without."""
    intent = found.payment_intent
    return intent.id if isinstance(intent, PaymentIntent) else intent or ""
