"""Products, prices, coupons and promotion codes; invoices, which a paid session makes."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from dev.stripe.api.refunds import one, same
from dev.stripe.objects.catalog import make_coupon, make_price, make_product, make_promotion_code
from dev.stripe.wire.errors import StripeError, missing
from dev.stripe.wire.fields import (
    EXPAND,
    PAGE,
    Needed,
    OrEmpty,
    Table,
    Text,
    boolean,
    choice,
    currency,
    merged,
    metadata,
    moments,
    number,
    text,
    url,
    whole,
)
from dev.stripe.wire.server import Asked, Call
from dev.stripe.wire.store import Obj
from dev.stripe.world import World

PRODUCT = {
    **EXPAND,
    "active": boolean,
    "description": OrEmpty(text),
    "id": text,
    "images": [url],
    "metadata": metadata,
    "name": Needed(text),
    "statement_descriptor": Text(22),
    "unit_label": OrEmpty(text),
    "url": OrEmpty(url),
}
PRODUCT_UPDATE = {
    **{name: reader for name, reader in PRODUCT.items() if name not in ("id", "name")},
    "metadata": OrEmpty(metadata),
    "name": text,
}
PRODUCT_LIST = {**PAGE, "active": boolean, "created": moments, "ids": [text]}
PRICE = {
    **EXPAND,
    "active": boolean,
    "currency": Needed(currency),
    "lookup_key": text,
    "metadata": metadata,
    "nickname": text,
    "product": text,
    "product_data": {"metadata": metadata, "name": Needed(text)},
    "tax_behavior": choice("exclusive", "unspecified"),
    "unit_amount": whole,
}
PRICE_UPDATE = {
    **EXPAND,
    "active": boolean,
    "lookup_key": text,
    "metadata": OrEmpty(metadata),
    "nickname": OrEmpty(text),
}
PRICE_LIST = {
    **PAGE,
    "active": boolean,
    "created": moments,
    "currency": currency,
    "lookup_keys": [text],
    "product": text,
}
COUPON = {
    **EXPAND,
    "amount_off": whole,
    "currency": currency,
    "duration": choice("forever", "once"),
    "id": text,
    "max_redemptions": whole,
    "metadata": OrEmpty(metadata),
    "name": Text(40),
    "percent_off": number,
    "redeem_by": whole,
}
NOTES = {**EXPAND, "metadata": OrEmpty(metadata)}
COUPON_UPDATE = {**NOTES, "name": text}
COUPON_LIST = {**PAGE, "created": moments}
CODE = {
    **EXPAND,
    "active": boolean,
    "code": Text(500),
    "customer": text,
    "expires_at": whole,
    "max_redemptions": whole,
    "metadata": metadata,
    "promotion": {"coupon": text, "type": Needed(choice("coupon"))},
}
# The API knew it before the version that is played here; the official CLI still sends it.
OLDER_CODE = {"coupon": text}
CODE_UPDATE = {**NOTES, "active": boolean}
CODE_LIST = {
    **PAGE,
    "active": boolean,
    "code": text,
    "coupon": text,
    "created": moments,
    "customer": text,
}
INVOICE_LIST = {
    **PAGE,
    "created": moments,
    "customer": text,
    "status": choice("draft", "open", "paid", "uncollectible", "void"),
}


def create_product(world: World, asked: Asked) -> Obj:
    product = make_product(**_noted(asked.params))
    if world.store.find(product["id"]) is not None:
        raise StripeError("Product already exists.", code="resource_already_exists", param="id")
    world.add(product)
    world.emit("product.created", product)
    return product


def create_price(world: World, asked: Asked) -> Obj:
    """A price for one time, of a product that exists or of a new one."""
    params = _noted(asked.params)
    if "unit_amount" not in params:
        raise missing("unit_amount")
    product = params.pop("product", None)
    data = params.pop("product_data", None)
    if (product is None) == (data is None):
        raise StripeError("You must specify either `product` or `product_data`.", param="product")
    if data is not None:
        product = world.add(make_product(**data))["id"]
    else:
        world.store.get("product", product, "product")
    amount, coin = params.pop("unit_amount"), params.pop("currency")
    price = world.add(make_price(product, amount, coin, **params))
    world.emit("price.created", price)
    return price


def create_coupon(world: World, asked: Asked) -> Obj:
    params = _noted(asked.params)
    if ("percent_off" in params) == ("amount_off" in params):
        raise StripeError("You must pass either `percent_off` or `amount_off`.")
    if not 0 < params.get("percent_off", 1) <= 100:
        raise StripeError("Invalid percent_off: must be in (0, 100]", param="percent_off")
    if "amount_off" in params and "currency" not in params:
        raise missing("currency")
    coupon = world.add(make_coupon(**params))
    world.emit("coupon.created", coupon)
    return coupon


def create_code(world: World, asked: Asked) -> Obj:
    params = _noted(asked.params)
    coupon = params.pop("coupon", None) or params.pop("promotion", {}).get("coupon")
    if coupon is None:
        raise missing("promotion[coupon]")
    world.store.get("coupon", coupon, "coupon")
    typed = params.get("code", "").lower()
    for each in world.store.every("promotion_code"):
        if typed and each["active"] and each["code"].lower() == typed:
            raise StripeError("An active promotion code with this code exists.", param="code")
    code = world.add(make_promotion_code(coupon, **params))
    world.emit("promotion_code.created", code)
    return code


def _noted(params: Obj) -> Obj:
    return {**params, "metadata": merged({}, params.get("metadata"))}


def _update(kind: str, path: str, table: Table) -> Call:
    def update(world: World, asked: Asked) -> Obj:
        obj = world.store.get(kind, asked.ids["id"])
        changes = {**asked.params}
        changes["metadata"] = merged(obj["metadata"], changes.get("metadata"))
        previous = {name: obj[name] for name in changes}
        if "updated" in obj:
            changes["updated"] = int(time.time())
        obj |= changes
        world.emit(f"{kind}.updated", obj, previous)
        return obj

    return Call("POST", path, table, update)


def _find(kind: str, url: str, table: Table, *names: str) -> Call:
    def find(world: World, asked: Asked) -> Obj:
        wanted: dict[str, Any] = same(asked, *names)
        lists: list[tuple[Callable[[Obj], Any], list[str]]] = []
        if "ids" in asked.params:
            lists.append((lambda each: each["id"], asked.params["ids"]))
        if "lookup_keys" in asked.params:
            lists.append((lambda each: each["lookup_key"], asked.params["lookup_keys"]))
        if kind == "promotion_code" and "coupon" in asked.params:
            lists.append((lambda each: each["promotion"]["coupon"], [asked.params["coupon"]]))

        def is_wanted(each: Obj) -> bool:
            same_fields = all(each[name] == value for name, value in wanted.items())
            return same_fields and all(value_of(each) in values for value_of, values in lists)

        return world.store.page(kind, asked.params, is_wanted, url)

    return Call("GET", url, table, find)


CALLS = [
    Call("POST", "/v1/products", PRODUCT, create_product),
    _find("product", "/v1/products", PRODUCT_LIST, "active"),
    one("product", "/v1/products/{id}"),
    _update("product", "/v1/products/{id}", PRODUCT_UPDATE),
    Call("POST", "/v1/prices", PRICE, create_price),
    _find("price", "/v1/prices", PRICE_LIST, "active", "currency", "product"),
    one("price", "/v1/prices/{id}"),
    _update("price", "/v1/prices/{id}", PRICE_UPDATE),
    Call("POST", "/v1/coupons", COUPON, create_coupon),
    _find("coupon", "/v1/coupons", COUPON_LIST),
    one("coupon", "/v1/coupons/{id}"),
    _update("coupon", "/v1/coupons/{id}", COUPON_UPDATE),
    Call("POST", "/v1/promotion_codes", {**CODE, **OLDER_CODE}, create_code),
    _find("promotion_code", "/v1/promotion_codes", CODE_LIST, "active", "code", "customer"),
    one("promotion_code", "/v1/promotion_codes/{id}"),
    _update("promotion_code", "/v1/promotion_codes/{id}", CODE_UPDATE),
    _find("invoice", "/v1/invoices", INVOICE_LIST, "customer", "status"),
    one("invoice", "/v1/invoices/{id}"),
]
