"""Where Stripe shows what a customer gets to keep. Its links end, so each is asked for anew."""

from __future__ import annotations

from stripe import StripeClient


def invoice(client: StripeClient, invoice_id: str) -> str:
    """The page of an invoice, with its PDF; empty without. Raises StripeError."""
    return client.v1.invoices.retrieve(invoice_id).hosted_invoice_url or ""


def receipt(client: StripeClient, charge_id: str) -> str:
    """The receipt of a charge; empty without. Raises StripeError."""
    return client.v1.charges.retrieve(charge_id).receipt_url or ""
