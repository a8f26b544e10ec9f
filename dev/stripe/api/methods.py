"""Payment methods: cards and bank accounts, by number or by the name of a test card."""

from __future__ import annotations

from dev.stripe.api.customers import ADDRESS
from dev.stripe.api.refunds import one, same
from dev.stripe.cards import Means, WrongNumberError, card, iban, named
from dev.stripe.objects.payment import (
    billing_details,
    make_method,
)
from dev.stripe.wire.errors import StripeError, card_error, missing
from dev.stripe.wire.fields import (
    EXPAND,
    PAGE,
    Needed,
    OrEmpty,
    choice,
    email,
    merged,
    metadata,
    text,
    whole,
)
from dev.stripe.wire.server import Asked, Call
from dev.stripe.wire.store import Obj
from dev.stripe.world import World

BILLING = {
    "address": OrEmpty(ADDRESS),
    "email": OrEmpty(email),
    "name": OrEmpty(text),
    "phone": OrEmpty(text),
}
METHOD = {
    **EXPAND,
    "billing_details": BILLING,
    "card": {"cvc": text, "exp_month": whole, "exp_year": whole, "number": text, "token": text},
    "metadata": metadata,
    "sepa_debit": {"iban": Needed(text)},
    "type": choice("card", "sepa_debit"),
}
METHOD_UPDATE = {**EXPAND, "billing_details": BILLING, "metadata": OrEmpty(metadata)}
METHOD_LIST = {**PAGE, "customer": text, "type": choice("card", "sepa_debit")}
ATTACH = {**EXPAND, "customer": Needed(text)}
MANDATE = {
    "customer_acceptance": Needed(
        {
            "accepted_at": whole,
            "offline": {},
            "online": {"ip_address": Needed(text), "user_agent": Needed(text)},
            "type": Needed(choice("offline", "online")),
        }
    )
}


def create(world: World, asked: Asked) -> Obj:
    """A payment method of a number; Stripe takes a card's by its own pages or tokens alone."""
    params = asked.params
    if "type" not in params:
        raise missing("type")
    billing = {key: value for key, value in params.get("billing_details", {}).items() if value}
    return _keep(world, _typed(params), billing, merged({}, params.get("metadata")))


def _typed(params: Obj) -> Means:
    given = params.get("card", {})
    try:
        if params["type"] == "sepa_debit":
            return iban(params.get("sepa_debit", {}).get("iban", ""))
        means = named(given["token"]) if "token" in given else card(given.get("number", ""))
    except WrongNumberError as error:
        raise card_error(error.code, str(error)) from None
    if means is None:
        raise StripeError(f"No such token: '{given['token']}'", code="resource_missing")
    return means


def _keep(world: World, means: Means, billing: Obj, notes: dict[str, str]) -> Obj:
    method = make_method(means, billing_details(**billing), notes)
    world.means[method["id"]] = means
    return world.add(method)


def method_of(world: World, name: str) -> Obj:
    """A method by its id, or a new one by the name of a test card (``pm_card_visa``)."""
    means = named(name)
    if means is not None:
        return _keep(world, means, {}, {})
    return world.store.get("payment_method", name, "payment_method")


def attach_to(world: World, method: Obj, customer: str | None) -> None:
    """Save the method for a customer, if there is one."""
    if customer is not None and method["customer"] != customer:
        method["customer"] = customer
        world.emit("payment_method.attached", method)


def attach(world: World, asked: Asked) -> Obj:
    method = method_of(world, asked.ids["id"])
    customer = world.store.get("customer", asked.params["customer"], "customer")
    attach_to(world, method, customer["id"])
    return method


def detach(world: World, asked: Asked) -> Obj:
    method = world.store.get("payment_method", asked.ids["id"])
    if method["customer"] is None:
        raise StripeError("The payment method you provided is not attached to a customer.")
    previous = {"customer": method["customer"]}
    method["customer"] = None
    world.emit("payment_method.detached", method, previous)
    return method


def update(world: World, asked: Asked) -> Obj:
    method = world.store.get("payment_method", asked.ids["id"])
    previous = {"metadata": method["metadata"]}
    method["metadata"] = merged(method["metadata"], asked.params.get("metadata"))
    billing = asked.params.get("billing_details")
    if billing is not None:
        method["billing_details"] = billing_details(**(method["billing_details"] | billing))
    world.emit("payment_method.updated", method, previous)
    return method


def find(world: World, asked: Asked) -> Obj:
    wanted = same(asked, "customer", "type")
    return world.store.page(
        "payment_method",
        asked.params,
        lambda each: all(each[name] == value for name, value in wanted.items()),
        "/v1/payment_methods",
    )


CALLS = [
    Call("POST", "/v1/payment_methods", METHOD, create),
    Call("GET", "/v1/payment_methods", METHOD_LIST, find),
    one("payment_method", "/v1/payment_methods/{id}"),
    Call("POST", "/v1/payment_methods/{id}", METHOD_UPDATE, update),
    Call("POST", "/v1/payment_methods/{id}/attach", ATTACH, attach),
    Call("POST", "/v1/payment_methods/{id}/detach", EXPAND, detach),
]
