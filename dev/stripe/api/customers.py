"""Customers and their portal."""

from __future__ import annotations

from dev.stripe.objects.customer import make_customer, make_portal_session
from dev.stripe.wire.fields import (
    EXPAND,
    PAGE,
    Needed,
    OrEmpty,
    Text,
    email,
    merged,
    metadata,
    moments,
    text,
    url,
)
from dev.stripe.wire.server import Asked, Call
from dev.stripe.wire.store import Obj
from dev.stripe.world import World

ADDRESS = dict.fromkeys(
    ("city", "country", "line1", "line2", "postal_code", "state"), OrEmpty(text)
)
CUSTOMER = {
    **EXPAND,
    "address": ADDRESS,
    "description": OrEmpty(text),
    "email": OrEmpty(email),
    "metadata": metadata,
    "name": OrEmpty(Text(256)),
    "phone": OrEmpty(text),
    "preferred_locales": [text],
}
LIST = {**PAGE, "created": moments, "email": email}
PORTAL = {**EXPAND, "customer": Needed(text), "return_url": url}


def create(world: World, asked: Asked) -> Obj:
    given = {**asked.params, "metadata": merged({}, asked.params.get("metadata"))}
    customer = world.add(make_customer(**given))
    world.emit("customer.created", customer)
    return customer


def retrieve(world: World, asked: Asked) -> Obj:
    return world.store.get("customer", asked.ids["id"])


def update(world: World, asked: Asked) -> Obj:
    customer = world.store.get("customer", asked.ids["id"])
    changes = {**asked.params}
    changes["metadata"] = merged(customer["metadata"], changes.get("metadata"))
    previous = {name: customer[name] for name in changes}
    customer |= changes
    world.emit("customer.updated", customer, previous)
    return customer


def delete(world: World, asked: Asked) -> Obj:
    customer = world.store.get("customer", asked.ids["id"])
    world.store.remove(customer)
    world.emit("customer.deleted", customer)
    return {"id": customer["id"], "object": "customer", "deleted": True}


def find(world: World, asked: Asked) -> Obj:
    address = asked.params.get("email")

    def wanted(each: Obj) -> bool:
        return address is None or each["email"] == address

    return world.store.page("customer", asked.params, wanted, "/v1/customers")


def open_portal(world: World, asked: Asked) -> Obj:
    customer = world.store.get("customer", asked.params["customer"], "customer")
    session = make_portal_session(customer["id"], world.url, asked.params.get("return_url"))
    return world.add(session)


CALLS = [
    Call("POST", "/v1/customers", CUSTOMER, create),
    Call("GET", "/v1/customers", LIST, find),
    Call("GET", "/v1/customers/{id}", EXPAND, retrieve),
    Call("POST", "/v1/customers/{id}", CUSTOMER, update),
    Call("DELETE", "/v1/customers/{id}", {}, delete),
    Call("POST", "/v1/billing_portal/sessions", PORTAL, open_portal),
]
