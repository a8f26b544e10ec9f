"""Payment intents that a program makes itself, such as an automatic purchase."""

from __future__ import annotations

import time

from dev.stripe import paying
from dev.stripe.api.methods import MANDATE, attach_to, method_of
from dev.stripe.api.refunds import one, same
from dev.stripe.api.sessions import SHIPPING
from dev.stripe.cards import AUTHENTICATE
from dev.stripe.objects.payment import make_intent
from dev.stripe.scenarios import of_email
from dev.stripe.wire.errors import StripeError, card_error, missing
from dev.stripe.wire.fields import (
    EXPAND,
    PAGE,
    Needed,
    OrEmpty,
    Text,
    boolean,
    choice,
    currency,
    email,
    merged,
    metadata,
    moments,
    text,
    whole,
)
from dev.stripe.wire.server import Asked, Call
from dev.stripe.wire.store import Obj
from dev.stripe.world import World

AMOUNT_MIN = 50  # Stripe's own minimum in USD
INTENT = {
    **EXPAND,
    "amount": Needed(whole),
    "automatic_payment_methods": {
        "allow_redirects": choice("always", "never"),
        "enabled": Needed(boolean),
    },
    "capture_method": choice("automatic", "automatic_async", "manual"),
    "confirm": boolean,
    "confirmation_method": choice("automatic", "manual"),
    "currency": Needed(currency),
    "customer": text,
    "description": Text(1000),
    "error_on_requires_action": boolean,
    "mandate_data": OrEmpty(MANDATE),
    "metadata": metadata,
    "off_session": boolean,
    "payment_method": text,
    "receipt_email": email,
    "return_url": text,
    "setup_future_usage": choice("off_session", "on_session"),
    "shipping": SHIPPING,
    "statement_descriptor": Text(22),
    "statement_descriptor_suffix": Text(22),
}
# The API knew it before the version that is played here; the official CLI still sends it.
OLDER = {"payment_method_types": [choice("card", "sepa_debit")]}
CONFIRM = {
    **EXPAND,
    "error_on_requires_action": boolean,
    "mandate_data": OrEmpty(MANDATE),
    "off_session": boolean,
    "payment_method": text,
    "return_url": text,
}
UPDATE = {**EXPAND, "description": text, "metadata": OrEmpty(metadata), "payment_method": text}
CAPTURE = {**EXPAND, "amount_to_capture": whole}
CANCEL = {
    **EXPAND,
    "cancellation_reason": choice("abandoned", "duplicate", "fraudulent", "requested_by_customer"),
}
LIST = {**PAGE, "created": moments, "customer": text}
KEPT = (
    *("automatic_payment_methods", "capture_method", "confirmation_method", "customer"),
    *("description", "payment_method_types", "receipt_email", "setup_future_usage"),
    *("shipping", "statement_descriptor", "statement_descriptor_suffix"),
)


def create(world: World, asked: Asked) -> Obj:
    """An intent, confirmed at once where ``confirm`` says so."""
    params = asked.params
    if params["amount"] < AMOUNT_MIN:
        raise StripeError(
            "Amount must be no less than $0.50 usd", code="amount_too_small", param="amount"
        )
    given = {name: params[name] for name in KEPT if name in params}
    customer = world.store.find(params.get("customer"))
    if "customer" in params:
        customer = world.store.get("customer", params["customer"], "customer")
    notes = merged({}, params.get("metadata"))
    intent = make_intent(params["amount"], params["currency"], **given, metadata=notes)
    world.store.add(intent)
    scenario = of_email((customer or {}).get("email"))
    world.purchases.begin(intent, notes.get("payment", ""), scenario)
    world.emit("payment_intent.created", intent)
    if params.get("confirm"):
        return _confirm(world, intent, params)
    if "payment_method" in params:
        method = method_of(world, params["payment_method"])
        intent |= {"payment_method": method["id"], "status": "requires_confirmation"}
    return intent


def confirm(world: World, asked: Asked) -> Obj:
    return _confirm(world, _intent(world, asked), asked.params)


def _intent(world: World, asked: Asked) -> Obj:
    intent = world.store.get("payment_intent", asked.ids["id"])
    purchase = world.purchases.of(intent)
    if purchase and world.purchases.session(purchase) is not None:
        raise StripeError(
            "You cannot change this PaymentIntent: it was created by Checkout. Expire the "
            "Checkout Session instead."
        )
    return intent


def _confirm(world: World, intent: Obj, params: Obj) -> Obj:
    if intent["status"] in ("succeeded", "canceled", "processing", "requires_capture"):
        raise _unexpected(intent)
    name = params.get("payment_method", intent["payment_method"])
    if name is None:
        raise missing("payment_method")
    method = method_of(world, name)
    off_session = params.get("off_session", False)
    tried = paying.confirm(world, intent, method, off_session=off_session)
    if tried.asks and params.get("error_on_requires_action"):
        tried = paying.refuse(world, intent, method, AUTHENTICATE)
    if tried.refusal is not None:
        refusal = tried.refusal
        raise card_error(
            refusal.code,
            refusal.message,
            refusal.decline_code or None,
            payment_intent=intent,
            charge=intent["latest_charge"],
        )
    if intent["setup_future_usage"]:
        attach_to(world, method, intent["customer"])
    return intent


def capture(world: World, asked: Asked) -> Obj:
    """Take what was only reserved, or a part of it."""
    intent = _intent(world, asked)
    if intent["status"] != "requires_capture":
        raise _unexpected(intent)
    amount: int = asked.params.get("amount_to_capture") or intent["amount"]
    if not 0 < amount <= intent["amount"]:
        raise StripeError("Invalid amount to capture", param="amount_to_capture")
    paying.capture(world, intent, world.store.get("charge", intent["latest_charge"]), amount)
    return intent


def cancel(world: World, asked: Asked) -> Obj:
    intent = _intent(world, asked)
    if intent["status"] in ("succeeded", "canceled", "processing"):
        raise _unexpected(intent)
    intent |= {
        "status": "canceled",
        "canceled_at": int(time.time()),
        "cancellation_reason": asked.params.get("cancellation_reason"),
        "amount_capturable": 0,
        "next_action": None,
    }
    world.emit("payment_intent.canceled", intent)
    return intent


def update(world: World, asked: Asked) -> Obj:
    """Metadata of an intent of Checkout's can be changed, too."""
    intent = world.store.get("payment_intent", asked.ids["id"])
    changes = {**asked.params}
    changes["metadata"] = merged(intent["metadata"], changes.get("metadata"))
    if "payment_method" in changes:
        changes["payment_method"] = method_of(world, changes["payment_method"])["id"]
    intent |= changes
    return intent


def _unexpected(intent: Obj) -> StripeError:
    return StripeError(
        f"This PaymentIntent could not be changed because it has a status of {intent['status']}.",
        code="payment_intent_unexpected_state",
        payment_intent=intent,
    )


def find(world: World, asked: Asked) -> Obj:
    wanted = same(asked, "customer")
    return world.store.page(
        "payment_intent",
        asked.params,
        lambda each: all(each[name] == value for name, value in wanted.items()),
        "/v1/payment_intents",
    )


CALLS = [
    Call("POST", "/v1/payment_intents", {**INTENT, **OLDER}, create),
    Call("GET", "/v1/payment_intents", LIST, find),
    one("payment_intent", "/v1/payment_intents/{id}"),
    Call("POST", "/v1/payment_intents/{id}", UPDATE, update),
    Call("POST", "/v1/payment_intents/{id}/confirm", CONFIRM, confirm),
    Call("POST", "/v1/payment_intents/{id}/capture", CAPTURE, capture),
    Call("POST", "/v1/payment_intents/{id}/cancel", CANCEL, cancel),
]
