"""The invoice of a paid Checkout Session."""

from __future__ import annotations

import time

from dev.stripe.wire.store import Obj, list_object, new_id

# Fields that are always there and never have a value here.
EMPTY = [
    "account_tax_ids",
    "application",
    "automatically_finalizes_at",
    "custom_fields",
    "customer_address",
    "customer_name",
    "customer_phone",
    "customer_shipping",
    "default_payment_method",
    "default_source",
    "due_date",
    "from_invoice",
    "last_finalization_error",
    "latest_revision",
    "next_payment_attempt",
    "on_behalf_of",
    "parent",
    "receipt_number",
    "rendering",
    "shipping_cost",
    "shipping_details",
    "statement_descriptor",
    "test_clock",
]
ZERO = (
    "amount_paid_off_stripe",
    "amount_overpaid",
    "amount_remaining",
    "amount_shipping",
    "ending_balance",
    "post_payment_credit_notes_amount",
    "pre_payment_credit_notes_amount",
    "starting_balance",
)
SETTINGS = ("default_mandate", "payment_method_options", "payment_method_types")


def make_invoice(session: Obj, items: list[Obj], number: str, url: str) -> Obj:
    """A paid invoice over the session's line items."""
    name, now = new_id("in"), int(time.time())
    total, details = session["amount_total"], session["total_details"]
    asked = session["invoice_creation"]["invoice_data"]
    lines = [_line(each, name, now) for each in items]
    return {
        "id": name,
        "object": "invoice",
        **dict.fromkeys(EMPTY),
        **dict.fromkeys(ZERO, 0),
        "account_country": "US",
        "account_name": "Reelmint, emulated",
        "amount_due": total,
        "amount_paid": total,
        "attempt_count": 1,
        "attempted": True,
        "auto_advance": False,
        "automatic_tax": {"disabled_reason": None} | session["automatic_tax"],
        "billing_reason": "manual",
        "collection_method": "charge_automatically",
        "created": now,
        "currency": session["currency"],
        "customer": session["customer"],
        "customer_email": (session["customer_details"] or {}).get("email"),
        "customer_tax_exempt": "none",
        "customer_tax_ids": [],
        "default_tax_rates": [],
        "description": asked["description"],
        "discounts": [],
        "effective_at": now,
        "footer": asked["footer"],
        "hosted_invoice_url": f"{url}/i/{name}",
        "invoice_pdf": f"{url}/i/{name}/pdf",
        "issuer": {"type": "self"},
        "lines": list_object(lines, f"/v1/invoices/{name}/lines"),
        "livemode": False,
        "metadata": dict(asked["metadata"]),
        "number": number,
        "payment_settings": dict.fromkeys(SETTINGS),
        "period_end": now,
        "period_start": now,
        "status": "paid",
        "status_transitions": {
            "finalized_at": now,
            "marked_uncollectible_at": None,
            "paid_at": now,
            "voided_at": None,
        },
        "subtotal": session["amount_subtotal"],
        "subtotal_excluding_tax": session["amount_subtotal"],
        "total": total,
        "total_discount_amounts": [],
        "total_excluding_tax": total - details["amount_tax"],
        "total_pretax_credit_amounts": [],
        "total_taxes": [],
        "webhooks_delivered_at": now,
    }


def _line(item: Obj, invoice: str, now: int) -> Obj:
    price = item["price"]
    return {
        "id": new_id("il"),
        "object": "line_item",
        "amount": item["amount_subtotal"],
        "currency": item["currency"],
        "description": item["description"],
        "discount_amounts": [],
        "discountable": True,
        "discounts": [],
        "invoice": invoice,
        "livemode": False,
        "metadata": {},
        "parent": None,
        "period": {"end": now, "start": now},
        "pretax_credit_amounts": [],
        "pricing": {
            "price_details": {"price": price["id"], "product": price["product"]},
            "type": "price_details",
            "unit_amount_decimal": price["unit_amount_decimal"],
        },
        "quantity": item["quantity"],
        "subtotal": item["amount_subtotal"],
        "taxes": [],
    }
