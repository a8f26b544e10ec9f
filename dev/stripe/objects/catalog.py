"""What is sold and for how much: products, prices, coupons, promotion codes."""

from __future__ import annotations

import secrets
import time
from typing import Any

from dev.stripe.wire.store import Obj, new_id


def make_product(name: str, **more: Any) -> Obj:
    now = int(time.time())
    return {
        "id": new_id("prod", 14),
        "object": "product",
        "active": True,
        "created": now,
        "default_price": None,
        "description": None,
        "images": [],
        "livemode": False,
        "marketing_features": [],
        "metadata": {},
        "name": name,
        "package_dimensions": None,
        "shippable": None,
        "statement_descriptor": None,
        "tax_code": None,
        "type": "service",
        "unit_label": None,
        "updated": now,
        "url": None,
        **more,
    }


def make_price(product: str, amount: int, currency: str, **more: Any) -> Obj:
    """A price for one time."""
    return {
        "id": new_id("price"),
        "object": "price",
        "active": True,
        "billing_scheme": "per_unit",
        "created": int(time.time()),
        "currency": currency,
        "custom_unit_amount": None,
        "livemode": False,
        "lookup_key": None,
        "metadata": {},
        "nickname": None,
        "product": product,
        "recurring": None,
        "tax_behavior": "unspecified",
        "tiers_mode": None,
        "transform_quantity": None,
        "type": "one_time",
        "unit_amount": amount,
        "unit_amount_decimal": str(amount),
        **more,
    }


def make_coupon(**more: Any) -> Obj:
    """A discount; ``percent_off`` or ``amount_off`` with a currency."""
    return {
        "id": new_id("c", 8)[2:],
        "object": "coupon",
        "amount_off": None,
        "created": int(time.time()),
        "currency": None,
        "duration": "once",
        "duration_in_months": None,
        "livemode": False,
        "max_redemptions": None,
        "metadata": {},
        "name": None,
        "percent_off": None,
        "redeem_by": None,
        "times_redeemed": 0,
        "valid": True,
        **more,
    }


def make_promotion_code(coupon: str, **more: Any) -> Obj:
    """What a customer types to have the discount of a coupon."""
    return {
        "id": new_id("promo"),
        "object": "promotion_code",
        "active": True,
        "code": secrets.token_hex(4).upper(),
        "created": int(time.time()),
        "customer": None,
        "customer_account": None,
        "expires_at": None,
        "livemode": False,
        "max_redemptions": None,
        "metadata": {},
        "promotion": {"coupon": coupon, "type": "coupon"},
        "restrictions": {
            "first_time_transaction": False,
            "minimum_amount": None,
            "minimum_amount_currency": None,
        },
        "times_redeemed": 0,
        **more,
    }
