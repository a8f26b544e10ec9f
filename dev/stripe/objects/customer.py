"""Customers and their portal."""

from __future__ import annotations

import secrets
import time
from typing import Any

from dev.stripe.wire.store import Obj, new_id


def make_customer(**more: Any) -> Obj:
    return {
        "id": new_id("cus", 14),
        "object": "customer",
        "address": None,
        "balance": 0,
        "created": int(time.time()),
        "currency": None,
        "default_source": None,
        "delinquent": False,
        "description": None,
        "email": None,
        "invoice_prefix": secrets.token_hex(4).upper(),
        "invoice_settings": {
            "custom_fields": None,
            "default_payment_method": None,
            "footer": None,
            "rendering_options": None,
        },
        "livemode": False,
        "metadata": {},
        "name": None,
        "next_invoice_sequence": 1,
        "phone": None,
        "preferred_locales": [],
        "shipping": None,
        "tax_exempt": "none",
        "test_clock": None,
        **more,
    }


def make_portal_session(customer: str, url: str, return_url: str | None) -> Obj:
    """A link to the pages where a customer sees invoices and cards."""
    name = new_id("bps")
    return {
        "id": name,
        "object": "billing_portal.session",
        "configuration": "bpc_emulated",
        "created": int(time.time()),
        "customer": customer,
        "customer_account": None,
        "flow": None,
        "livemode": False,
        "locale": None,
        "on_behalf_of": None,
        "return_url": return_url,
        "url": f"{url}/p/session/{name}",
    }
