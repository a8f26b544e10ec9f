"""Ordering a refund: the same words with the same key, however often."""

from __future__ import annotations

from dataclasses import dataclass

from stripe import StripeClient

from payments.models import Reversal


@dataclass(frozen=True, slots=True)
class Made:
    """Stripe has it under this id, and with this status."""

    refund_id: str
    status: str


async def order(client: StripeClient, reversal: Reversal, intent_id: str) -> Made:
    """Give back so much of what the intent took. Raises StripeError."""
    made = await client.v1.refunds.create_async(
        {
            "payment_intent": intent_id,
            "amount": reversal.amount_minor,
            "metadata": {"reversal": str(reversal.pk), "payment": str(reversal.payment_id)},
        },
        {"idempotency_key": f"refund-{reversal.pk}"},
    )
    return Made(made.id, made.status or "")
