"""The body of a checkout."""

from __future__ import annotations

from typing import Any, NoReturn

from rest_framework import serializers

from common.api.fields import StrictCharField
from payments import packs
from payments.models import CreditPack

LONGEST_NAME = 50  # the model's


class PackField(StrictCharField):
    """A text. Anything else, or a text that is too long, gets the answer to an unknown pack."""

    def fail(self, key: str, **kwargs: Any) -> NoReturn:
        """Raise the ValidationError of ``key``, in one of the contract's two sentences."""
        if key in ("invalid", "max_length"):
            raise serializers.ValidationError(unknown(packs.on_sale()))
        super().fail(key, **kwargs)


class CheckoutSerializer(serializers.Serializer[Any]):
    """The body of ``POST /api/v1/credits/checkout/``."""

    pack = PackField(
        max_length=LONGEST_NAME,
        help_text="The name of a pack, as `GET /api/v1/credits/packs/` lists them.",
    )

    def validate_pack(self, name: str) -> CreditPack:
        """DRF's hook: the row of that name, if it is on sale."""
        found = packs.on_sale()
        for pack in found:
            if pack.name == name:
                return pack
        raise serializers.ValidationError(unknown(found))


def unknown(found: list[CreditPack]) -> str:
    """The answer to a pack that is not among ``found``."""
    if not found:
        return "No pack is on sale at the moment"
    return f"Invalid pack. Must be one of: {', '.join(pack.name for pack in found)}"
