"""Stripe's numbers for tests, and what happens to each."""

from __future__ import annotations

from dataclasses import dataclass

DECLINED = "Your card was declined."


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a card or a bank says no, as the customer reads it."""

    code: str
    decline_code: str
    message: str


GENERIC = Refusal("card_declined", "generic_decline", DECLINED)
NO_FUNDS = Refusal("card_declined", "insufficient_funds", "Your card has insufficient funds.")
AUTHENTICATE = Refusal(
    "authentication_required",
    "authentication_required",
    "Your card was declined. This transaction requires authentication.",
)
NOT_AUTHENTICATED = Refusal(
    "payment_intent_authentication_failure",
    "",
    "We are unable to authenticate your payment method. "
    "Please choose a different payment method and try again.",
)
BANK = Refusal("payment_intent_payment_attempt_failed", "", "The payment failed.")


@dataclass(frozen=True, slots=True)
class Means:
    """How somebody wants to pay: a card or a bank account.

    ``later`` is what happens after the payment: ``dispute``, ``inquiry``, ``refund-fails``.
    """

    kind: str
    number: str
    brand: str = "visa"
    refusal: Refusal | None = None
    asks: bool = False  # for 3-D Secure
    refused_later: bool = False  # is saved, but cannot be charged
    fails_later: bool = False  # a bank's answer after days
    later: str = ""

    @property
    def last4(self) -> str:
        return self.number[-4:]


CARDS = {
    each.number: each
    for each in (
        Means("card", "4242424242424242"),
        Means("card", "4000056655665556"),
        Means("card", "5555555555554444", "mastercard"),
        Means("card", "378282246310005", "amex"),
        Means("card", "4000000000000077"),
        Means("card", "4000000000000002", refusal=GENERIC),
        Means(
            "card",
            "4000000000009995",
            refusal=NO_FUNDS,
        ),
        Means("card", "4000002500003155", asks=True),
        Means("card", "4000002760003184", asks=True),
        Means("card", "4000000000000341", refused_later=True),
        Means("card", "4000000000000259", later="dispute"),
        Means("card", "4000000000001976", later="inquiry"),
        Means("card", "4000000000005126", later="refund-fails"),
    )
}

IBANS = {
    each.number: each
    for each in (
        Means("sepa_debit", "DE89370400440532013000"),
        Means("sepa_debit", "DE62370400440532013001", fails_later=True),
        Means("sepa_debit", "AT611904300234573201"),
        Means("sepa_debit", "AT321904300235473204"),
        Means("sepa_debit", "IT60X0542811101000000123456", fails_later=True),
    )
}

# The names under which programs use the same cards: payment methods and tokens.
NAMED = {
    "visa": "4242424242424242",
    "visa_debit": "4000056655665556",
    "mastercard": "5555555555554444",
    "amex": "378282246310005",
    "bypassPending": "4000000000000077",
    "chargeDeclined": "4000000000000002",
    "visa_chargeDeclined": "4000000000000002",
    "chargeDeclinedInsufficientFunds": "4000000000009995",
    "visa_chargeDeclinedInsufficientFunds": "4000000000009995",
    "authenticationRequired": "4000002760003184",
    "threeDSecure2Required": "4000002760003184",
    "chargeCustomerFail": "4000000000000341",
    "createDispute": "4000000000000259",
    "createDisputeInquiry": "4000000000001976",
    "refundFail": "4000000000005126",
}


class WrongNumberError(ValueError):
    """What was typed is no card and no account; the message is Stripe's."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


def card(typed: str) -> Means:
    """The card of this number. Raises WrongNumberError."""
    digits = "".join(typed.split()).replace("-", "")
    if digits in CARDS:
        return CARDS[digits]
    if not (digits.isascii() and digits.isdigit() and 12 <= len(digits) <= 19 and _luhn(digits)):
        raise WrongNumberError("incorrect_number", "Your card number is invalid.")
    raise WrongNumberError(
        "card_declined",
        "Your card was declined. Your request was in test mode, but used a non test card.",
    )


def iban(typed: str) -> Means:
    """The bank account of this number. Raises WrongNumberError."""
    compact = "".join(typed.split()).upper()
    if compact in IBANS:
        return IBANS[compact]
    raise WrongNumberError("invalid_bank_account_iban", "The IBAN you provided is invalid.")


def named(name: str) -> Means | None:
    """The card behind ``pm_card_visa`` or ``tok_visa``."""
    for prefix in ("pm_card_", "tok_"):
        if name.startswith(prefix) and name.removeprefix(prefix) in NAMED:
            return CARDS[NAMED[name.removeprefix(prefix)]]
    return None


def _luhn(digits: str) -> bool:
    doubled = [int(each) * (1 + index % 2) for index, each in enumerate(reversed(digits))]
    return sum(each - 9 if each > 9 else each for each in doubled) % 10 == 0
