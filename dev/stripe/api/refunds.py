"""Refunds, disputes, charges and the balance's transactions."""

from __future__ import annotations

from dev.stripe import aftermath
from dev.stripe.wire.errors import StripeError, missing
from dev.stripe.wire.fields import (
    EXPAND,
    PAGE,
    OrEmpty,
    boolean,
    choice,
    merged,
    metadata,
    moments,
    text,
    whole,
)
from dev.stripe.wire.server import Asked, Call
from dev.stripe.wire.store import Obj
from dev.stripe.world import World

REFUND = {
    **EXPAND,
    "amount": whole,
    "charge": text,
    "metadata": OrEmpty(metadata),
    "payment_intent": text,
    "reason": choice("duplicate", "fraudulent", "requested_by_customer"),
}
REFUND_UPDATE = {**EXPAND, "metadata": OrEmpty(metadata)}
REFUND_LIST = {**PAGE, "charge": text, "created": moments, "payment_intent": text}
DISPUTE_UPDATE = {
    **EXPAND,
    "evidence": {"product_description": text, "uncategorized_text": text},
    "metadata": OrEmpty(metadata),
    "submit": boolean,
}
DISPUTE_LIST = {**PAGE, "charge": text, "created": moments, "payment_intent": text}
CHARGE_UPDATE = {**EXPAND, "description": text, "metadata": OrEmpty(metadata)}
CHARGE_LIST = {**PAGE, "created": moments, "customer": text, "payment_intent": text}


def create(world: World, asked: Asked) -> Obj:
    """A refund of a charge, or of what an intent took."""
    params = asked.params
    charge = _charge(world, params)
    rest = charge["amount_captured"] - charge["amount_refunded"]
    more = {name: params[name] for name in ("reason",) if name in params}
    refund = aftermath.give_back(
        world,
        charge,
        params.get("amount", rest),
        metadata=merged({}, params.get("metadata")),
        **more,
    )
    purchase = world.purchases.of(charge)
    fails = world.means_of({"id": charge["payment_method"]}).later == "refund-fails"
    if fails or (purchase and "refund-fails" in purchase.scenario):
        aftermath.fail_later(world, refund)
    return refund


def _charge(world: World, params: Obj) -> Obj:
    if "charge" in params:
        return world.store.get("charge", params["charge"], "charge")
    if "payment_intent" not in params:
        raise missing("payment_intent")
    intent = world.store.get("payment_intent", params["payment_intent"], "payment_intent")
    if intent["latest_charge"] is None:
        raise StripeError(
            f"This PaymentIntent ({intent['id']}) does not have a successful charge to refund.",
            code="payment_intent_unexpected_state",
            param="payment_intent",
        )
    return world.store.get("charge", intent["latest_charge"])


def update_refund(world: World, asked: Asked) -> Obj:
    refund = world.store.get("refund", asked.ids["id"])
    previous = {"metadata": refund["metadata"]}
    refund["metadata"] = merged(refund["metadata"], asked.params.get("metadata"))
    world.emit("refund.updated", refund, previous)
    world.emit("charge.refund.updated", refund, previous)
    return refund


def update_dispute(world: World, asked: Asked) -> Obj:
    """``submit`` hands the evidence in: the bank looks at it."""
    dispute = world.store.get("dispute", asked.ids["id"])
    params = asked.params
    previous = {"metadata": dispute["metadata"], "status": dispute["status"]}
    dispute["metadata"] = merged(dispute["metadata"], params.get("metadata"))
    dispute["evidence"] |= params.get("evidence", {})
    dispute["evidence_details"]["has_evidence"] |= bool(params.get("evidence"))
    if params.get("submit") and dispute["status"].endswith("needs_response"):
        dispute["status"] = dispute["status"].replace("needs_response", "under_review")
        dispute["evidence_details"] |= {"submission_count": 1, "submission_method": "manual"}
    world.emit("charge.dispute.updated", dispute, previous)
    return dispute


def close_dispute(world: World, asked: Asked) -> Obj:
    """Closing gives up: the dispute is lost."""
    dispute = world.store.get("dispute", asked.ids["id"])
    if dispute["status"] in ("won", "lost", "warning_closed"):
        raise StripeError("This dispute is already closed.", code="dispute_already_closed")
    return aftermath.close(world, dispute, "lost")


def update_charge(world: World, asked: Asked) -> Obj:
    charge = world.store.get("charge", asked.ids["id"])
    charge["metadata"] = merged(charge["metadata"], asked.params.pop("metadata", None))
    charge |= asked.params
    world.emit("charge.updated", charge)
    return charge


def same(asked: Asked, *names: str) -> dict[str, str]:
    """The parameters of a list that are equal to a field."""
    return {name: asked.params[name] for name in names if name in asked.params}


def _list(kind: str, url: str, *names: str) -> Call:
    table = {"refund": REFUND_LIST, "dispute": DISPUTE_LIST, "charge": CHARGE_LIST}[kind]

    def find(world: World, asked: Asked) -> Obj:
        wanted = same(asked, *names)
        return world.store.page(
            kind,
            asked.params,
            lambda each: all(each[name] == value for name, value in wanted.items()),
            url,
        )

    return Call("GET", url, table, find)


def one(kind: str, path: str) -> Call:
    """The call that reads one object of a kind."""

    def retrieve(world: World, asked: Asked) -> Obj:
        return world.store.get(kind, asked.ids["id"])

    return Call("GET", path, EXPAND, retrieve)


CALLS = [
    Call("POST", "/v1/refunds", REFUND, create),
    _list("refund", "/v1/refunds", "charge", "payment_intent"),
    one("refund", "/v1/refunds/{id}"),
    Call("POST", "/v1/refunds/{id}", REFUND_UPDATE, update_refund),
    _list("dispute", "/v1/disputes", "charge", "payment_intent"),
    one("dispute", "/v1/disputes/{id}"),
    Call("POST", "/v1/disputes/{id}", DISPUTE_UPDATE, update_dispute),
    Call("POST", "/v1/disputes/{id}/close", EXPAND, close_dispute),
    _list("charge", "/v1/charges", "customer", "payment_intent"),
    one("charge", "/v1/charges/{id}"),
    Call("POST", "/v1/charges/{id}", CHARGE_UPDATE, update_charge),
    one("balance_transaction", "/v1/balance_transactions/{id}"),
]
