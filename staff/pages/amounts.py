"""Amounts of money as operators read them."""

from __future__ import annotations

MINOR = 100  # of every currency that we sell in: cents


def money(minor: int | None, currency: str) -> str:
    """``25.00 USD`` for 2500 and ``usd``; – for what is not known yet."""
    if minor is None:
        return "–"
    whole, rest = divmod(abs(minor), MINOR)
    return f"{'-' if minor < 0 else ''}{whole:,}.{rest:02} {currency.upper()}"
