"""What an error of Stripe's means for us: a final no, or no answer yet."""

from __future__ import annotations

from dataclasses import dataclass

import stripe

from common.telemetry.redaction import cut_text


@dataclass(frozen=True, slots=True)
class NoAnswer:
    """It may have been done or not: ask the same again, with the same key."""

    detail: str


@dataclass(frozen=True, slots=True)
class Refused:
    """A final no; nothing was done."""

    detail: str
    code: str = ""
    param: str = ""
    reused_key: bool = False  # the key was used before, with other parameters


def meaning(error: Exception) -> NoAnswer | Refused:
    """What an error of Stripe's means. Raises any other error again."""
    if isinstance(error, TimeoutError):
        return NoAnswer("no answer in time")
    if not isinstance(error, stripe.StripeError):
        raise error
    detail = cut_text(f"{type(error).__name__}: {error.user_message or error}")
    if isinstance(error, stripe.IdempotencyError):
        return Refused(detail, reused_key=True)
    if isinstance(error, stripe.RateLimitError | stripe.APIConnectionError | stripe.APIError):
        return NoAnswer(detail)  # a 409 as well: the same order is being answered elsewhere
    return Refused(detail, str(error.code or ""), str(getattr(error, "param", None) or ""))
