"""Payment intents, setup intents, payment methods, and how a payment failed."""

from __future__ import annotations

import time
from typing import Any

from dev.stripe.cards import Means, Refusal
from dev.stripe.wire.store import Obj, new_id

COUNTRIES = {"sepa_debit": "DE", "card": "US"}


def make_intent(amount: int, currency: str, **more: Any) -> Obj:
    """A payment intent that waits for a payment method."""
    name = new_id("pi")
    return {
        "id": name,
        "object": "payment_intent",
        "amount": amount,
        "amount_capturable": 0,
        "amount_details": {"tip": {}},
        "amount_received": 0,
        "application": None,
        "application_fee_amount": None,
        "automatic_payment_methods": None,
        "canceled_at": None,
        "cancellation_reason": None,
        "capture_method": "automatic_async",
        "client_secret": f"{name}_secret_{new_id('s')[2:]}",
        "confirmation_method": "automatic",
        "created": int(time.time()),
        "currency": currency,
        "customer": None,
        "customer_account": None,
        "description": None,
        "last_payment_error": None,
        "latest_charge": None,
        "livemode": False,
        "metadata": {},
        "next_action": None,
        "on_behalf_of": None,
        "payment_method": None,
        "payment_method_configuration_details": None,
        "payment_method_options": {},
        "payment_method_types": ["card"],
        "processing": None,
        "receipt_email": None,
        "review": None,
        "setup_future_usage": None,
        "shipping": None,
        "statement_descriptor": None,
        "statement_descriptor_suffix": None,
        "status": "requires_payment_method",
        "transfer_data": None,
        "transfer_group": None,
        **more,
    }


def make_setup_intent(**more: Any) -> Obj:
    """A setup intent that waits for a payment method."""
    name = new_id("seti")
    return {
        "id": name,
        "object": "setup_intent",
        "application": None,
        "automatic_payment_methods": None,
        "cancellation_reason": None,
        "client_secret": f"{name}_secret_{new_id('s')[2:]}",
        "created": int(time.time()),
        "customer": None,
        "customer_account": None,
        "description": None,
        "flow_directions": None,
        "last_setup_error": None,
        "latest_attempt": None,
        "livemode": False,
        "mandate": None,
        "metadata": {},
        "next_action": None,
        "on_behalf_of": None,
        "payment_method": None,
        "payment_method_configuration_details": None,
        "payment_method_options": {"card": {"request_three_d_secure": "automatic"}},
        "payment_method_types": ["card"],
        "single_use_mandate": None,
        "status": "requires_payment_method",
        "usage": "off_session",
        **more,
    }


def make_method(means: Means, billing: Obj, metadata: dict[str, str] | None = None) -> Obj:
    """A payment method: of the number nothing but the last four digits is shown."""
    found: Obj = {
        "id": new_id("pm"),
        "object": "payment_method",
        "allow_redisplay": "unspecified",
        "billing_details": billing,
        means.kind: _card(means) if means.kind == "card" else _account(means),
        "created": int(time.time()),
        "customer": None,
        "customer_account": None,
        "livemode": False,
        "metadata": metadata or {},
        "type": means.kind,
    }
    return found


def _card(means: Means) -> Obj:
    return {
        "brand": means.brand,
        "checks": checks(),
        "country": "US",
        "display_brand": means.brand,
        "exp_month": 12,
        "exp_year": 2034,
        "fingerprint": fingerprint(means),
        "funding": "credit",
        "generated_from": None,
        "last4": means.last4,
        "networks": {"available": [means.brand], "preferred": None},
        "regulated_status": "unregulated",
        "three_d_secure_usage": {"supported": True},
        "wallet": None,
    }


def _account(means: Means) -> Obj:
    return {
        "bank_code": means.number[4:12],
        "branch_code": "",
        "country": means.number[:2],
        "fingerprint": fingerprint(means),
        "generated_from": {"charge": None, "setup_attempt": None},
        "last4": means.last4,
    }


def checks() -> Obj:
    return {
        "address_line1_check": None,
        "address_postal_code_check": None,
        "cvc_check": "pass",
    }


def fingerprint(means: Means) -> str:
    """The same one for each use of a number."""
    return f"Emulated{means.number[-8:]}"


def billing_details(email: str | None = None, **more: Any) -> Obj:
    """Who pays, as payment methods and charges show it."""
    given = {"email": email, "name": None, "phone": None, "tax_id": None, **more}
    address = dict.fromkeys(("city", "country", "line1", "line2", "postal_code", "state"))
    return {**given, "address": address | (given.get("address") or {})}


def payment_error(refusal: Refusal, method: Obj | None, charge: str | None = None) -> Obj:
    """``last_payment_error``: why the last try failed."""
    by_card = method is None or method["type"] == "card"
    error = {
        "charge": charge,
        "code": refusal.code,
        "decline_code": refusal.decline_code or None,
        "doc_url": f"https://docs.stripe.com/error-codes/{refusal.code.replace('_', '-')}",
        "message": refusal.message,
        "payment_method": method,
        "type": "card_error" if by_card else "invalid_request_error",
    }
    return {key: value for key, value in error.items() if value is not None}
