"""What Stripe says of one payment: fetched anew each time, and reduced to what is needed."""

from __future__ import annotations

import asyncio
from dataclasses import asdict, dataclass
from typing import Any

import stripe
from stripe import Charge, Dispute, PaymentIntent, Refund, StripeClient
from stripe.checkout import Session

from payments.stripe.errors import Refused, meaning

EXPANDED = ["payment_intent.latest_charge", "line_items"]
PAGE = 100  # the most that Stripe gives at once


@dataclass(frozen=True, slots=True)
class RefundFact:
    """One refund. ``reversal`` is our row's id, which our own refunds carry in their metadata."""

    id: str
    created: int
    amount: int
    status: str
    reversal: str


@dataclass(frozen=True, slots=True)
class DisputeFact:
    """One dispute; ``due_by`` is when evidence has to be there, in Unix seconds."""

    id: str
    created: int
    amount: int
    status: str
    due_by: int | None


@dataclass(frozen=True, slots=True)
class Facts:
    """A Checkout Session with its intent, its refunds and its disputes, the oldest first."""

    session_id: str
    status: str
    payment_status: str
    livemode: bool
    currency: str
    amount_subtotal: int
    amount_total: int
    tax: int
    discount: int
    reference: str
    named: str  # by the metadata
    items: int
    url: str
    invoice_id: str
    intent_id: str
    intent_status: str
    charge_id: str
    refunds: tuple[RefundFact, ...] = ()
    disputes: tuple[DisputeFact, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """As operators read it; the link is in a column of its own."""
        return {name: value for name, value in asdict(self).items() if name != "url"}


@dataclass(frozen=True, slots=True)
class Gone:
    """Stripe does not know the Checkout Session."""

    detail: str


async def fetch(client: StripeClient, session_id: str) -> Facts | Gone:
    """Fetch by three calls at most. Raises StripeError; the caller limits the time."""
    try:
        session = await client.v1.checkout.sessions.retrieve_async(
            session_id, {"expand": [*EXPANDED]}
        )
    except stripe.InvalidRequestError as error:
        outcome = meaning(error)
        if isinstance(outcome, Refused) and outcome.code == "resource_missing":
            return Gone(outcome.detail)
        raise
    intent = session.payment_intent
    if not isinstance(intent, PaymentIntent):
        return _facts(session, None, [], [])
    refunds, disputes = await asyncio.gather(
        _refunds(client, intent.id), _disputes(client, intent.id)
    )
    return _facts(session, intent, refunds, disputes)


async def _refunds(client: StripeClient, intent_id: str) -> list[Refund]:
    page = await client.v1.refunds.list_async({"payment_intent": intent_id, "limit": PAGE})
    return [each async for each in page.auto_paging_iter()]


async def _disputes(client: StripeClient, intent_id: str) -> list[Dispute]:
    page = await client.v1.disputes.list_async({"payment_intent": intent_id, "limit": PAGE})
    return [each async for each in page.auto_paging_iter()]


def _facts(
    session: Session, intent: PaymentIntent | None, refunds: list[Refund], disputes: list[Dispute]
) -> Facts:
    details, invoice, items = session.total_details, session.invoice, session.line_items
    charge = intent.latest_charge if intent else None
    return Facts(
        session_id=session.id,
        status=session.status or "",
        payment_status=session.payment_status,
        livemode=session.livemode,
        currency=session.currency or "",
        amount_subtotal=session.amount_subtotal or 0,
        amount_total=session.amount_total or 0,
        tax=details.amount_tax if details else 0,
        discount=details.amount_discount if details else 0,
        reference=session.client_reference_id or "",
        named=metadata_word(session.metadata, "payment"),
        items=len(items.data) if items else 0,
        url=session.url or "",
        invoice_id=invoice if isinstance(invoice, str) else invoice.id if invoice else "",
        intent_id=intent.id if intent else "",
        intent_status=intent.status if intent else "",
        charge_id=charge.id if isinstance(charge, Charge) else charge or "",
        refunds=tuple(sorted((_refund(each) for each in refunds), key=_age)),
        disputes=tuple(sorted((_dispute(each) for each in disputes), key=_age)),
    )


def metadata_word(metadata: Any, key: str) -> str:
    """The text under ``key`` in an object's metadata; empty if there is none."""
    return str(metadata[key]) if metadata and key in metadata else ""


def _refund(refund: Refund) -> RefundFact:
    ours = metadata_word(refund.metadata, "reversal")
    return RefundFact(refund.id, refund.created, refund.amount, refund.status or "", ours)


def _dispute(dispute: Dispute) -> DisputeFact:
    due_by = dispute.evidence_details.due_by
    return DisputeFact(dispute.id, dispute.created, dispute.amount, dispute.status, due_by)


def _age(fact: RefundFact | DisputeFact) -> tuple[int, str]:
    return fact.created, fact.id
