"""Charges, refunds, disputes and what they do to the account's balance."""

from __future__ import annotations

import time
from typing import Any

from dev.stripe.cards import Means, Refusal
from dev.stripe.objects.payment import checks, fingerprint
from dev.stripe.wire.store import Obj, new_id

DISPUTE_FEE = 1500
EVIDENCE_DAYS = 10


def make_charge(
    intent: Obj, method: Obj, means: Means, url: str, refusal: Refusal | None = None
) -> Obj:
    """A try to take the money: succeeded, failed, or pending at the customer's bank."""
    name = new_id("py" if means.kind == "sepa_debit" else "ch")
    status = "failed" if refusal else "pending" if means.kind == "sepa_debit" else "succeeded"
    return {
        "id": name,
        "object": "charge",
        "amount": intent["amount"],
        "amount_captured": intent["amount"] if status == "succeeded" else 0,
        "amount_refunded": 0,
        "application": None,
        "application_fee": None,
        "application_fee_amount": None,
        "balance_transaction": None,
        "billing_details": method["billing_details"],
        "calculated_statement_descriptor": "REELMINT EMULATED",
        "captured": status != "failed",
        "created": int(time.time()),
        "currency": intent["currency"],
        "customer": intent["customer"],
        "description": intent["description"],
        "disputed": False,
        "failure_balance_transaction": None,
        "failure_code": refusal.code if refusal else None,
        "failure_message": refusal.message if refusal else None,
        "fraud_details": {},
        "livemode": False,
        "metadata": dict(intent["metadata"]),
        "on_behalf_of": None,
        "outcome": _outcome(refusal),
        "paid": status == "succeeded",
        "payment_intent": intent["id"],
        "payment_method": method["id"],
        "payment_method_details": _details(means),
        "receipt_email": None,
        "receipt_number": None,
        "receipt_url": f"{url}/receipts/{name}" if status == "succeeded" else None,
        "refunded": False,
        "review": None,
        "shipping": intent["shipping"],
        "source_transfer": None,
        "statement_descriptor": None,
        "statement_descriptor_suffix": None,
        "status": status,
        "transfer_data": None,
        "transfer_group": None,
    }


def _outcome(refusal: Refusal | None) -> Obj:
    return {
        "advice_code": None,
        "network_advice_code": None,
        "network_decline_code": None,
        "network_status": "declined_by_network" if refusal else "approved_by_network",
        "reason": (refusal.decline_code or refusal.code) if refusal else None,
        "risk_level": "normal",
        "risk_score": 20,
        "seller_message": "The bank declined." if refusal else "Payment complete.",
        "type": "issuer_declined" if refusal else "authorized",
    }


def _details(means: Means) -> Obj:
    if means.kind == "sepa_debit":
        account = {
            "bank_code": means.number[4:12],
            "branch_code": "",
            "country": means.number[:2],
            "fingerprint": fingerprint(means),
            "last4": means.last4,
            "mandate": None,
        }
        return {"sepa_debit": account, "type": "sepa_debit"}
    card = {
        "brand": means.brand,
        "checks": checks(),
        "country": "US",
        "exp_month": 12,
        "exp_year": 2034,
        "fingerprint": fingerprint(means),
        "funding": "credit",
        "installments": None,
        "last4": means.last4,
        "mandate": None,
        "network": means.brand,
        "three_d_secure": None,
        "wallet": None,
    }
    return {"card": card, "type": "card"}


def make_refund(charge: Obj, amount: int, **more: Any) -> Obj:
    """Money on its way back; ``succeeded`` at once, as for cards."""
    kind = charge["payment_method_details"]["type"]
    details: Obj = {"type": kind}
    if kind == "card":
        details["card"] = {
            "reference_status": "pending",
            "reference_type": "acquirer_reference_number",
            "type": "refund",
        }
    return {
        "id": new_id("re"),
        "object": "refund",
        "amount": amount,
        "balance_transaction": None,
        "charge": charge["id"],
        "created": int(time.time()),
        "currency": charge["currency"],
        "destination_details": details,
        "metadata": {},
        "payment_intent": charge["payment_intent"],
        "reason": None,
        "receipt_number": None,
        "source_transfer_reversal": None,
        "status": "succeeded",
        "transfer_reversal": None,
        **more,
    }


def make_dispute(charge: Obj, status: str, due_by: int) -> Obj:
    """A customer's bank wants the money back; ``warning_*`` is an inquiry and moves none."""
    inquiry = status.startswith("warning_")
    return {
        "id": new_id("du"),
        "object": "dispute",
        "amount": charge["amount"],
        "balance_transactions": [],
        "charge": charge["id"],
        "created": int(time.time()),
        "currency": charge["currency"],
        "enhanced_eligibility_types": [],
        "evidence": {"enhanced_evidence": {}},
        "evidence_details": {
            "due_by": due_by,
            "enhanced_eligibility": {},
            "has_evidence": False,
            "past_due": False,
            "submission_count": 0,
            "submission_method": "not_submitted",
        },
        "is_charge_refundable": inquiry,
        "livemode": False,
        "metadata": {},
        "payment_intent": charge["payment_intent"],
        "payment_method_details": {
            "card": {
                "brand": "visa",
                "case_type": "inquiry" if inquiry else "chargeback",
                "network": "visa",
                "network_reason_code": "83",
            },
            "type": "card",
        },
        "reason": "fraudulent",
        "status": status,
    }


def make_transaction(source: Obj, amount: int, kind: str, fee: int = 0) -> Obj:
    """What moved on the account's balance; ``amount`` is negative when money left it."""
    now = int(time.time())
    fees = (
        []
        if not fee
        else [
            {
                "amount": fee,
                "application": None,
                "currency": source["currency"],
                "description": "Stripe processing fees",
                "type": "stripe_fee",
            }
        ]
    )
    return {
        "id": new_id("txn"),
        "object": "balance_transaction",
        "amount": amount,
        "available_on": now,
        "balance_type": "payments",
        "created": now,
        "currency": source["currency"],
        "description": None,
        "exchange_rate": None,
        "fee": fee,
        "fee_details": fees,
        "net": amount - fee,
        "reporting_category": {"adjustment": "dispute"}.get(kind, kind),
        "source": source["id"],
        "status": "available",
        "type": kind,
    }
