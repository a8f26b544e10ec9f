"""Checkout Sessions: created, read, expired; the faults of a creation."""

from __future__ import annotations

from dev.stripe import checkout, selling
from dev.stripe.api.customers import ADDRESS
from dev.stripe.cards import CARDS
from dev.stripe.options import BROWSER_WAITS
from dev.stripe.scenarios import Scenario, of_email
from dev.stripe.wire.errors import StripeError
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
    url,
    whole,
)
from dev.stripe.wire.server import Asked, Call, HangingError
from dev.stripe.wire.store import Obj, page_of
from dev.stripe.world import World

SHIPPING = {"address": Needed(ADDRESS), "name": Needed(text), "phone": text}
PRICE_DATA = {
    "currency": Needed(currency),
    "product": text,
    "product_data": {
        "description": text,
        "images": [url],
        "metadata": metadata,
        "name": Needed(text),
        "tax_code": text,
    },
    "tax_behavior": choice("exclusive", "unspecified"),
    "unit_amount": whole,
}
SESSION = {
    **EXPAND,
    "allow_promotion_codes": boolean,
    "automatic_tax": {"enabled": Needed(boolean)},
    "billing_address_collection": choice("auto", "required"),
    "cancel_url": url,
    "client_reference_id": Text(200),
    "currency": currency,
    "customer": text,
    "customer_creation": choice("always", "if_required"),
    "customer_email": email,
    "customer_update": {
        "address": choice("auto", "never"),
        "name": choice("auto", "never"),
        "shipping": choice("auto", "never"),
    },
    "discounts": [{"coupon": text, "promotion_code": text}],
    "expires_at": whole,
    "invoice_creation": {
        "enabled": Needed(boolean),
        "invoice_data": {
            "description": text,
            "footer": text,
            "metadata": OrEmpty(metadata),
        },
    },
    "line_items": [
        {"metadata": metadata, "price": text, "price_data": PRICE_DATA, "quantity": whole}
    ],
    "locale": text,
    "metadata": metadata,
    "mode": Needed(choice("payment", "setup")),
    "payment_intent_data": {
        "description": Text(1000),
        "metadata": metadata,
        "receipt_email": text,
        "setup_future_usage": choice("off_session", "on_session"),
        "shipping": SHIPPING,
        "statement_descriptor": Text(22),
        "statement_descriptor_suffix": Text(22),
    },
    "submit_type": choice("auto", "book", "donate", "pay", "subscribe"),
    "success_url": url,
    "tax_id_collection": {
        "enabled": Needed(boolean),
        "required": choice("if_supported", "never"),
    },
    "ui_mode": choice("hosted_page"),
}
# What the API knew before the version that is played here; the official CLI still sends it.
OLDER = {"payment_method_types": [choice("card", "sepa_debit")]}
LIST = {
    **PAGE,
    "created": moments,
    "customer": text,
    "customer_details": {"email": Needed(email)},
    "payment_intent": text,
    "status": choice("complete", "expired", "open"),
}
ITEMS = {**PAGE}
UPDATE = {**EXPAND, "metadata": OrEmpty(metadata)}


async def create(world: World, asked: Asked) -> Obj:
    """A new session, unless the customer's address or the control endpoint plays a fault."""
    params = asked.params
    scenario = of_email(_email(world, params)) | world.take_scenario()
    _turn_away(world, scenario, asked.key)
    session = selling.order(world, params, scenario)
    if "before-answer" in scenario:
        email = _email(world, params) or "early@example.com"
        checkout.pay(world, session, CARDS["4242424242424242"], email)
        await world.sender.answered(session["id"], BROWSER_WAITS)
    if "create-then-no-answer" in scenario:
        raise HangingError(session)
    if "create-then-500" in scenario:
        raise StripeError("An unknown error occurred", status=500, kind="api_error")
    return session


def _email(world: World, params: Obj) -> str | None:
    customer = params.get("customer")
    if customer is None:
        email: str | None = params.get("customer_email")
        return email
    if "customer_email" in params:
        message = "You may only specify one of these parameters: customer, customer_email."
        raise StripeError(message, param="customer_email")
    found: str | None = world.store.get("customer", customer, "customer")["email"]
    return found


def _turn_away(world: World, scenario: Scenario, key: str) -> None:
    """Nothing is made: once for each order, or as often as the scenario's number says."""
    for word in ("429", "hang"):
        if word in scenario:
            world.turned_away[word, key] += 1
            if world.turned_away[word, key] <= scenario.number(word, 1):
                if word == "hang":
                    raise HangingError
                raise StripeError("Request rate limit exceeded.", status=429, code="rate_limit")


def retrieve(world: World, asked: Asked) -> Obj:
    return world.store.get("checkout.session", asked.ids["id"])


def update(world: World, asked: Asked) -> Obj:
    session = world.store.get("checkout.session", asked.ids["id"])
    session["metadata"] = merged(session["metadata"], asked.params.get("metadata"))
    return session


def expire(world: World, asked: Asked) -> Obj:
    return checkout.expire(world, world.store.get("checkout.session", asked.ids["id"]))


def line_items(world: World, asked: Asked) -> Obj:
    session = world.store.get("checkout.session", asked.ids["id"])
    place = f"/v1/checkout/sessions/{session['id']}/line_items"
    return page_of(world.items[session["id"]], asked.params, place)


def find(world: World, asked: Asked) -> Obj:
    params = asked.params
    email = params.get("customer_details", {}).get("email")

    def wanted(each: Obj) -> bool:
        same = all(
            name not in params or each[name] == params[name]
            for name in ("customer", "payment_intent", "status")
        )
        return same and (email is None or (each["customer_details"] or {}).get("email") == email)

    return world.store.page("checkout.session", params, wanted, "/v1/checkout/sessions")


CALLS = [
    Call("POST", "/v1/checkout/sessions", {**SESSION, **OLDER}, create),
    Call("GET", "/v1/checkout/sessions", LIST, find),
    Call("GET", "/v1/checkout/sessions/{id}", EXPAND, retrieve),
    Call("POST", "/v1/checkout/sessions/{id}", UPDATE, update),
    Call("GET", "/v1/checkout/sessions/{id}/line_items", ITEMS, line_items),
    Call("POST", "/v1/checkout/sessions/{id}/expire", EXPAND, expire),
]
