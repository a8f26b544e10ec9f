"""What a Checkout Session sells: line items, prices, discounts, tax."""

from __future__ import annotations

import time

from dev.stripe.checkout import end
from dev.stripe.objects.catalog import make_price, make_product
from dev.stripe.objects.session import amounts, make_item, make_session
from dev.stripe.options import SESSION_LONGEST, SESSION_SHORTEST
from dev.stripe.scenarios import Scenario
from dev.stripe.wire.errors import StripeError, missing
from dev.stripe.wire.store import Obj
from dev.stripe.world import World

TAX_PERCENT = 19
ANOTHER_AMOUNT = 100  # how much more a wrong amount is
GRACE = 60  # seconds for the way of the order and the fraction of a second
ANOTHER_CURRENCY = "cad"


def order(world: World, params: Obj, scenario: Scenario) -> Obj:
    """A new open Checkout Session. Raises a 400 StripeError."""
    expires_at = _expires_at(world, params)
    if not params.get("success_url"):
        raise missing("success_url")
    items = [] if params["mode"] == "setup" else _items(world, params, scenario)
    session = make_session(params, url=world.url, expires_at=expires_at, items=items)
    metadata = session["metadata"]
    payment_id = session["client_reference_id"] or metadata.get("payment", "")
    world.store.add(session)
    world.items[session["id"]] = items
    world.purchases.begin(session, payment_id, scenario)
    world.orders[session["id"]] = params
    if session["automatic_tax"]["enabled"]:
        price_again(world, session, None)
    for each in params.get("discounts", []):
        discount(world, session, each)
    world.later(expires_at - time.time(), lambda: end(world, session), scaled=False)
    return session


def _expires_at(world: World, params: Obj) -> int:
    """30 minutes to 24 hours from now; a scale makes the one shorter or the other longer."""
    now, scale = time.time(), world.options.time_scale
    expires_at: int = params.get("expires_at", int(now + SESSION_LONGEST * scale))
    shortest = SESSION_SHORTEST * min(scale, 1) - GRACE
    longest = SESSION_LONGEST * max(scale, 1) + GRACE
    if not shortest <= expires_at - now <= longest:
        raise StripeError(
            "The `expires_at` timestamp must be between 30 minutes and 24 hours from Checkout "
            "Session creation.",
            param="expires_at",
        )
    return expires_at


def _items(world: World, params: Obj, scenario: Scenario) -> list[Obj]:
    if not params.get("line_items"):
        raise missing("line_items")
    items = []
    for index, each in enumerate(params["line_items"]):
        where = f"line_items[{index}]"
        price = _price(world, each, where, scenario)
        product = world.store.get("product", price["product"])
        quantity = each.get("quantity", 1)
        if quantity < 1:
            raise StripeError("Invalid quantity", param=f"{where}[quantity]")
        items.append(make_item(price, quantity, product["name"], each.get("metadata", {})))
    if len({each["currency"] for each in items}) > 1:
        raise StripeError("All line items must have the same currency.", param="line_items")
    return items


def _price(world: World, asked: Obj, where: str, scenario: Scenario) -> Obj:
    if ("price" in asked) == ("price_data" in asked):
        raise StripeError("You must specify either `price` or `price_data`.", param=where)
    if "price" in asked:
        return world.store.get("price", asked["price"], f"{where}[price]")
    data = asked["price_data"]
    if ("product" in data) == ("product_data" in data):
        message = "You must specify either `product` or `product_data`."
        raise StripeError(message, param=f"{where}[price_data]")
    if "unit_amount" not in data:
        raise missing(f"{where}[price_data][unit_amount]")
    if data["unit_amount"] < 0:
        message = "Invalid non-negative integer"
        raise StripeError(message, param=f"{where}[price_data][unit_amount]")
    if "product" in data:
        product = world.store.get("product", data["product"], f"{where}[price_data][product]")
    else:
        product = world.add(make_product(**data["product_data"], active=False))
    amount = data["unit_amount"] + (ANOTHER_AMOUNT if "wrong-amount" in scenario else 0)
    currency = ANOTHER_CURRENCY if "wrong-currency" in scenario else data["currency"]
    return world.add(make_price(product["id"], amount, currency, active=False))


def code_of(world: World, typed: str) -> Obj | None:
    """The promotion code that can be used now, whatever its case."""
    for each in world.store.every("promotion_code"):
        if each["code"].lower() == typed.strip().lower() and each["active"]:
            coupon = world.store.get("coupon", each["promotion"]["coupon"])
            used_up = each["max_redemptions"] and each["times_redeemed"] >= each["max_redemptions"]
            over = each["expires_at"] and each["expires_at"] <= time.time()
            return None if used_up or over or not coupon["valid"] else each
    return None


def discount(world: World, session: Obj, asked: Obj) -> None:
    """Apply a coupon or promotion code, named by id. Raises a 400 StripeError."""
    code = asked.get("promotion_code")
    if code:
        found = world.store.get("promotion_code", code, "discounts")
        coupon = world.store.get("coupon", found["promotion"]["coupon"])
    else:
        coupon = world.store.get("coupon", asked.get("coupon", ""), "discounts")
    session["discounts"] = [{"coupon": None if code else coupon["id"], "promotion_code": code}]
    price_again(world, session, coupon)


def price_again(world: World, session: Obj, coupon: Obj | None) -> None:
    """Recompute discount and tax of each item, and the session's sums."""
    items = world.items[session["id"]]
    subtotal = sum(each["amount_subtotal"] for each in items)
    rest = _discount_of(subtotal, coupon)
    for index, each in enumerate(items):
        share = rest if index == len(items) - 1 else rest * each["amount_subtotal"] // subtotal
        rest -= share
        subtotal -= each["amount_subtotal"]
        net = each["amount_subtotal"] - share
        tax = net * TAX_PERCENT // 100 if session["automatic_tax"]["enabled"] else 0
        each |= {"amount_discount": share, "amount_tax": tax, "amount_total": net + tax}
    session |= amounts(items)


def _discount_of(subtotal: int, coupon: Obj | None) -> int:
    if coupon is None:
        return 0
    if coupon["percent_off"] is not None:
        # In hundredths of a percent, so that no float decides about money.
        percent: float = coupon["percent_off"]
        return subtotal * round(percent * 100) // 10_000
    return min(subtotal, int(coupon["amount_off"]))
