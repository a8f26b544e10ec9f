"""What the OpenAPI document says of packs: it depends on the packs on sale."""

from __future__ import annotations

from typing import Any

from payments import packs


def names() -> list[str]:
    """The names of the packs on sale, in their order."""
    return [pack.name for pack in packs.on_sale()]


def complete(schema: dict[str, Any]) -> None:
    """List in ``schema`` what a checkout takes now."""
    properties = schema["components"]["schemas"]["CheckoutRequest"]["properties"]
    text = properties["pack"]["description"]
    properties["pack"] = {"type": "string", "enum": names(), "description": text}
