"""Amounts and names as operators read them in a list."""

from __future__ import annotations

MINOR = 100  # of every currency that we sell in: cents

LONGEST_NAME = 40  # characters; a customer may have chosen 150


def short(name: str) -> str:
    return name if len(name) <= LONGEST_NAME else f"{name[: LONGEST_NAME - 1]}…"


def money(minor: int | None, currency: str) -> str:
    """``25.00 USD`` for 2500 and ``usd``; – for what is not known yet."""
    if minor is None:
        return "–"
    whole, rest = divmod(abs(minor), MINOR)
    return f"{'-' if minor < 0 else ''}{whole:,}.{rest:02} {currency.upper()}"
