"""Setup intents: how a customer will pay later."""

from __future__ import annotations

from dev.stripe.api.methods import MANDATE, attach_to, method_of
from dev.stripe.api.refunds import one, same
from dev.stripe.cards import Refusal
from dev.stripe.objects.payment import make_setup_intent, payment_error
from dev.stripe.wire.errors import StripeError, card_error, missing
from dev.stripe.wire.fields import (
    EXPAND,
    PAGE,
    Needed,
    boolean,
    choice,
    merged,
    metadata,
    moments,
    text,
)
from dev.stripe.wire.server import Asked, Call
from dev.stripe.wire.store import Obj
from dev.stripe.world import World

SETUP = {
    **EXPAND,
    "automatic_payment_methods": {
        "allow_redirects": choice("always", "never"),
        "enabled": Needed(boolean),
    },
    "confirm": boolean,
    "customer": text,
    "description": text,
    "mandate_data": MANDATE,
    "metadata": metadata,
    "payment_method": text,
    "return_url": text,
    "usage": choice("off_session", "on_session"),
}
# The API knew it before the version that is played here; the official CLI still sends it.
OLDER = {"payment_method_types": [choice("card", "sepa_debit")]}
SETUP_CONFIRM = {**EXPAND, "payment_method": text, "return_url": text}
SETUP_LIST = {**PAGE, "created": moments, "customer": text, "payment_method": text}
CANCEL = {
    **EXPAND,
    "cancellation_reason": choice("abandoned", "duplicate", "requested_by_customer"),
}


def create(world: World, asked: Asked) -> Obj:
    """A setup intent, confirmed at once where ``confirm`` says so."""
    params = asked.params
    names = ("customer", "description", "payment_method_types", "usage")
    given = {name: params[name] for name in names if name in params}
    if "customer" in params:
        world.store.get("customer", params["customer"], "customer")
    notes = merged({}, params.get("metadata"))
    intent = world.add(make_setup_intent(**given, metadata=notes))
    world.emit("setup_intent.created", intent)
    if params.get("confirm"):
        return _confirm(world, intent, params.get("payment_method"))
    if "payment_method" in params:
        method = method_of(world, params["payment_method"])
        intent |= {"payment_method": method["id"], "status": "requires_confirmation"}
    return intent


def confirm(world: World, asked: Asked) -> Obj:
    intent = world.store.get("setup_intent", asked.ids["id"])
    return _confirm(world, intent, asked.params.get("payment_method", intent["payment_method"]))


def _confirm(world: World, intent: Obj, name: str | None) -> Obj:
    if name is None:
        raise missing("payment_method")
    if intent["status"] in ("succeeded", "canceled"):
        raise _unexpected(intent)
    method = method_of(world, name)
    means = world.means_of(method)
    if means.refusal is not None and not means.refused_later:
        intent["payment_method"] = method["id"]
        refuse(world, intent, means.refusal)
        raise card_error(means.refusal.code, means.refusal.message, means.refusal.decline_code)
    intent["payment_method"] = method["id"]
    if means.asks:
        url = f"{world.url}/c/3ds/{intent['id']}"
        intent |= {
            "status": "requires_action",
            "next_action": {
                "redirect_to_url": {"return_url": f"{world.url}/", "url": url},
                "type": "redirect_to_url",
            },
        }
        world.emit("setup_intent.requires_action", intent)
        return intent
    return succeed(world, intent)


def succeed(world: World, intent: Obj) -> Obj:
    """The method is saved; the customer agreed."""
    intent |= {"status": "succeeded", "last_setup_error": None, "next_action": None}
    method = world.store.get("payment_method", intent["payment_method"])
    attach_to(world, method, intent["customer"])
    world.emit("setup_intent.succeeded", intent)
    return intent


def refuse(world: World, intent: Obj, refusal: Refusal) -> None:
    """The method is not saved; another one may be tried."""
    method = world.store.find(intent["payment_method"])
    intent["last_setup_error"] = payment_error(refusal, method)
    intent |= {"status": "requires_payment_method", "payment_method": None, "next_action": None}
    world.emit("setup_intent.setup_failed", intent)


def cancel(world: World, asked: Asked) -> Obj:
    intent = world.store.get("setup_intent", asked.ids["id"])
    if intent["status"] in ("succeeded", "canceled"):
        raise _unexpected(intent)
    reason = asked.params.get("cancellation_reason")
    intent |= {"status": "canceled", "cancellation_reason": reason, "next_action": None}
    world.emit("setup_intent.canceled", intent)
    return intent


def _unexpected(intent: Obj) -> StripeError:
    return StripeError(
        f"This SetupIntent has a status of {intent['status']} and cannot be changed.",
        code="setup_intent_unexpected_state",
    )


def find(world: World, asked: Asked) -> Obj:
    wanted = same(asked, "customer", "payment_method")
    return world.store.page(
        "setup_intent",
        asked.params,
        lambda each: all(each[name] == value for name, value in wanted.items()),
        "/v1/setup_intents",
    )


CALLS = [
    Call("POST", "/v1/setup_intents", {**SETUP, **OLDER}, create),
    Call("GET", "/v1/setup_intents", SETUP_LIST, find),
    one("setup_intent", "/v1/setup_intents/{id}"),
    Call("POST", "/v1/setup_intents/{id}/confirm", SETUP_CONFIRM, confirm),
    Call("POST", "/v1/setup_intents/{id}/cancel", CANCEL, cancel),
]
