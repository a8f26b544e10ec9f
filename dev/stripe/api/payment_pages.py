"""Stripe's private API behind its page, for the official CLI alone: it may change with the CLI."""

from __future__ import annotations

from dev.stripe import checkout
from dev.stripe.api.methods import method_of
from dev.stripe.wire.errors import StripeError
from dev.stripe.wire.fields import EXPAND, Needed, text, whole
from dev.stripe.wire.server import Asked, Call
from dev.stripe.wire.store import Obj
from dev.stripe.world import World

CONFIRM = {**EXPAND, "expected_amount": Needed(whole), "payment_method": Needed(text)}


def retrieve(world: World, asked: Asked) -> Obj:
    return _page(world.store.get("checkout.session", asked.ids["id"]))


def confirm(world: World, asked: Asked) -> Obj:
    """Pay a session, if its sum is the one that the customer saw."""
    session = world.store.get("checkout.session", asked.ids["id"])
    if asked.params["expected_amount"] != session["amount_total"]:
        raise StripeError("The amount has changed.", code="checkout_amount_mismatch")
    method = method_of(world, asked.params["payment_method"])
    email = method["billing_details"]["email"] or "cli@example.com"
    checkout.pay(world, session, world.means_of(method), email)
    return _page(session)


def _page(session: Obj) -> Obj:
    shown = ("id", "amount_total", "currency", "mode", "payment_status", "status")
    return {"object": "payment_page", **{name: session[name] for name in shown}}


CALLS = [
    Call("GET", "/v1/payment_pages/{id}", EXPAND, retrieve, private=True),
    Call("POST", "/v1/payment_pages/{id}/confirm", CONFIRM, confirm, private=True),
]
