"""What is on sale."""

from __future__ import annotations

from typing import TypedDict

from payments.models import CreditPack


class PublicPack(TypedDict):
    """So many credits for so much money."""

    name: str
    credits: int
    amount_minor: int
    currency: str


def on_sale() -> list[CreditPack]:
    """The enabled packs, in the order of their position."""
    return list(CreditPack.objects.filter(enabled=True).order_by("position", "name"))


def to_dict(pack: CreditPack) -> PublicPack:
    """The one public form of a pack."""
    return {
        "name": pack.name,
        "credits": pack.credits,
        "amount_minor": pack.amount_minor,
        "currency": pack.currency,
    }
