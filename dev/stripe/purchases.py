"""Which objects belong to one payment of the shop, and what is to be played for it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from dev.stripe.scenarios import Scenario
from dev.stripe.wire.store import Obj, Store


@dataclass(slots=True)
class Purchase:
    """One payment; ``payment_id`` is the shop's own, or else the id of the first object."""

    payment_id: str
    scenario: Scenario
    objects: list[str] = field(default_factory=list)
    refund_told: asyncio.Event = field(default_factory=asyncio.Event)
    played: set[str] = field(default_factory=set)


class Purchases:
    """All purchases, found by the shop's id or by the id of any of their objects."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._of_object: dict[str, Purchase] = {}
        self._of_payment: dict[str, Purchase] = {}

    def begin(self, obj: Obj, payment_id: str, scenario: Scenario) -> Purchase:
        """A purchase whose first object is ``obj``."""
        purchase = Purchase(payment_id or obj["id"], scenario)
        self._of_payment[purchase.payment_id] = purchase
        return self.own(purchase, obj)

    def own(self, purchase: Purchase, obj: Obj) -> Purchase:
        """From now on ``obj`` belongs to ``purchase``."""
        purchase.objects.append(obj["id"])
        self._of_object[obj["id"]] = purchase
        return purchase

    def of(self, obj: Obj) -> Purchase | None:
        return self._of_object.get(obj["id"])

    def of_payment(self, payment_id: str) -> Purchase | None:
        """By the shop's id, or by the id of an object."""
        return self._of_payment.get(payment_id) or self._of_object.get(payment_id)

    def every(self) -> list[Purchase]:
        return list(self._of_payment.values())

    def objects(self, purchase: Purchase, kind: str) -> list[Obj]:
        """What there is of one kind of object, oldest first."""
        found = (self._store.find(each) for each in purchase.objects)
        return [each for each in found if each is not None and each["object"] == kind]

    def session(self, purchase: Purchase) -> Obj | None:
        found = self.objects(purchase, "checkout.session")
        return found[0] if found else None

    def taken(self, purchase: Purchase) -> int:
        """Money that charges took, in minor units."""
        charges = self.objects(purchase, "charge")
        return sum(each["amount_captured"] for each in charges if each["status"] == "succeeded")

    def refunded(self, purchase: Purchase) -> int:
        """Money of refunds that neither failed nor were canceled."""
        refunds = self.objects(purchase, "refund")
        return sum(each["amount"] for each in refunds if each["status"] in ("succeeded", "pending"))

    def disputed(self, purchase: Purchase) -> int:
        """Money of disputes that are neither won nor inquiries."""
        disputes = self.objects(purchase, "dispute")
        return sum(
            each["amount"]
            for each in disputes
            if each["status"] != "won" and not each["status"].startswith("warning_")
        )

    def clear(self) -> None:
        self._of_object.clear()
        self._of_payment.clear()
