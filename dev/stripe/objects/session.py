"""A Checkout Session and its line items."""

from __future__ import annotations

import time
from typing import Any

from dev.stripe.wire.fields import merged
from dev.stripe.wire.store import Obj, new_id

# Fields that are always there and never have a value here.
EMPTY = [
    "after_expiration",
    "client_secret",
    "collected_information",
    "consent",
    "consent_collection",
    "currency_conversion",
    "invoice",
    "origin_context",
    "payment_intent",
    "payment_link",
    "payment_method_collection",
    "payment_method_configuration_details",
    "permissions",
    "recovered_from",
    "saved_payment_method_options",
    "setup_intent",
    "shipping_address_collection",
    "shipping_cost",
    "subscription",
    "wallet_options",
]


def make_session(params: Obj, *, url: str, expires_at: int, items: list[Obj]) -> Obj:
    """An open Checkout Session of what was asked for; its sums are those of ``items``."""
    name = new_id("cs_test", 58)
    email = params.get("customer_email")
    setup = params["mode"] == "setup"
    return {
        "id": name,
        "object": "checkout.session",
        **dict.fromkeys(EMPTY),
        "adaptive_pricing": {"enabled": False},
        "allow_promotion_codes": params.get("allow_promotion_codes"),
        **amounts(items),
        "automatic_tax": _automatic_tax(params),
        "billing_address_collection": params.get("billing_address_collection"),
        "cancel_url": params.get("cancel_url"),
        "client_reference_id": params.get("client_reference_id"),
        "created": int(time.time()),
        "currency": params.get("currency") if setup else items[0]["currency"],
        "custom_fields": [],
        "custom_text": {
            "after_submit": None,
            "shipping_address": None,
            "submit": None,
            "terms_of_service_acceptance": None,
        },
        "customer": params.get("customer"),
        "customer_creation": _customer_creation(params),
        "customer_details": customer_details(email) if email else None,
        "customer_email": email,
        "discounts": [],
        "expires_at": expires_at,
        "invoice_creation": None if setup else _invoice_creation(params),
        "livemode": False,
        "locale": params.get("locale"),
        "metadata": merged({}, params.get("metadata")),
        "mode": params["mode"],
        "payment_method_options": {"card": {"request_three_d_secure": "automatic"}},
        "payment_method_types": params.get("payment_method_types", ["card", "sepa_debit"]),
        "payment_status": "no_payment_required" if setup else "unpaid",
        "phone_number_collection": {"enabled": False},
        "shipping_options": [],
        "status": "open",
        "submit_type": params.get("submit_type"),
        "success_url": params.get("success_url"),
        "tax_id_collection": _tax_id_collection(params),
        "ui_mode": "hosted_page",
        "url": f"{url}/c/pay/{name}",
    }


def amounts(items: list[Obj]) -> Obj:
    """The sums of a session: ``items`` carry their discount and tax."""
    if not items:
        return {"amount_subtotal": None, "amount_total": None, "total_details": None}
    return {
        "amount_subtotal": sum(each["amount_subtotal"] for each in items),
        "amount_total": sum(each["amount_total"] for each in items),
        "total_details": {
            "amount_discount": sum(each["amount_discount"] for each in items),
            "amount_shipping": 0,
            "amount_tax": sum(each["amount_tax"] for each in items),
        },
    }


def make_item(price: Obj, quantity: int, description: str, metadata: dict[str, str]) -> Obj:
    """A line item without discount and tax."""
    amount = price["unit_amount"] * quantity
    return {
        "id": new_id("li"),
        "object": "item",
        "adjustable_quantity": None,
        "amount_discount": 0,
        "amount_subtotal": amount,
        "amount_tax": 0,
        "amount_total": amount,
        "currency": price["currency"],
        "description": description,
        "metadata": metadata,
        "price": price,
        "quantity": quantity,
    }


def customer_details(email: str | None, **more: Any) -> Obj:
    """What is known of who pays."""
    return {
        "address": None,
        "business_name": None,
        "email": email,
        "individual_name": None,
        "name": None,
        "phone": None,
        "tax_exempt": "none",
        "tax_ids": [],
        **more,
    }


def _automatic_tax(params: Obj) -> Obj:
    if not params.get("automatic_tax", {}).get("enabled"):
        return {"enabled": False, "liability": None, "provider": None, "status": None}
    liability = {"type": "self"}
    return {"enabled": True, "liability": liability, "provider": "stripe", "status": "complete"}


def _tax_id_collection(params: Obj) -> Obj:
    given = params.get("tax_id_collection", {})
    required = given.get("required", "never")
    return {"enabled": given.get("enabled", False), "required": required}


def _customer_creation(params: Obj) -> str | None:
    return None if params.get("customer") else params.get("customer_creation", "if_required")


def _invoice_creation(params: Obj) -> Obj:
    given = params.get("invoice_creation", {})
    data = given.get("invoice_data", {})
    return {
        "enabled": given.get("enabled", False),
        "invoice_data": {
            "account_tax_ids": None,
            "custom_fields": None,
            "description": data.get("description"),
            "footer": data.get("footer"),
            "issuer": None,
            "metadata": data.get("metadata", {}),
            "rendering_options": None,
        },
    }
