"""What the buyers buy, and which fault of Stripe each of their addresses provokes."""

from __future__ import annotations

import random
from dataclasses import dataclass

# Scenarios of dev/stripe/README.md, as tags of an address; each has an account of its own. ``lost``
# goes with nothing that is looked at by the hour only, such as a bank's debit.
SCENARIOS = (
    *("", "twice", "late=3", "lost", "disorder", "forged", "replayed", "othermode"),
    *("before-answer", "create-then-no-answer", "create-then-500", "429", "hang"),
    *("wrong-amount", "wrong-currency", "declined", "3ds", "sepa-ok", "sepa-fails"),
    *("refund", "partial-refund=133", "refund-fails", "dispute", "dispute-won"),
    *("pays-after-expiry=2", "lost+refund", "twice+dispute", "late=2+partial-refund=250"),
    *("forged+replayed+othermode+sepa-ok", "twice+disorder", "lost+wrong-amount"),
)
WORDS = {word.partition("=")[0] for each in SCENARIOS for word in each.split("+")} - {""}
# Of these no credits come by themselves: a person looks at the money.
DIFFERS = ("wrong-amount", "wrong-currency")
REFUSED_MANNERS = ("forged", "replayed", "othermode")  # of a webhook
PACKS = {"credits_500": 70.0, "credits_2500": 25.0, "credits_10000": 5.0}
CHECKOUT = "/api/v1/credits/checkout/"
PAYMENTS = "/api/v1/credits/payments/"


@dataclass(frozen=True, slots=True)
class Buyer:
    """An account whose address plays one scenario with all that it buys."""

    secret: str
    email: str
    scenario: str

    @property
    def words(self) -> set[str]:
        """The scenarios without their numbers."""
        return {word.partition("=")[0] for word in self.scenario.split("+") if word}


@dataclass(frozen=True, slots=True)
class Wish:
    """One pack that a customer wants, however often it has to be asked for."""

    buyer: Buyer
    key: str
    pack: str

    @property
    def headers(self) -> dict[str, str]:
        """Of a checkout, which may be repeated with them."""
        return {"Authorization": f"Bearer {self.buyer.secret}", "Idempotency-Key": self.key}


def address(number: int, scenario: str) -> str:
    """The e-mail address of the buyer of that number."""
    tags = f"+{scenario}" if scenario else ""
    return f"buyer-{number}{tags}@example.com"


def draw(chance: random.Random, buyer: Buyer, key: str) -> Wish:
    """A random pack; cheap ones are bought most."""
    return Wish(buyer, key, chance.choices(list(PACKS), list(PACKS.values()))[0])
