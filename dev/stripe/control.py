"""What only an emulator has: counters, scenarios by hand, a reset."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

from aiohttp import web

from dev.stripe import aftermath, checkout
from dev.stripe.cards import CARDS
from dev.stripe.purchases import Purchase
from dev.stripe.scenarios import Scenario, UnknownScenarioError, parse
from dev.stripe.selling import ANOTHER_AMOUNT, ANOTHER_CURRENCY
from dev.stripe.wire.errors import StripeError, no_such
from dev.stripe.wire.idempotency import Keys
from dev.stripe.wire.store import Obj
from dev.stripe.world import World

SENTENCE = (
    "This is Reelmint's emulator of Stripe: it stands in for Stripe on this machine, no money is "
    "charged, and nothing here reaches Stripe."
)


class ControlApi:
    """Home page, ``/emulator/...``: for people, tests and the chaos run."""

    def __init__(self, world: World, keys: Keys) -> None:
        self._world = world
        self._keys = keys

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/", self.home),
            web.get("/emulator/stats", self.stats),
            web.get("/emulator/deliveries", self.deliveries),
            web.get("/emulator/payments/{id}", self.payment),
            web.post("/emulator/control", self.control),
            web.post("/emulator/reset", self.reset),
        ]

    async def home(self, request: web.Request) -> web.Response:
        """What this is, for people and for programs."""
        if "json" in request.headers.get("Accept", ""):
            return web.json_response({"emulator": True, "description": SENTENCE})
        page = f"<!doctype html><meta charset=utf-8><title>Emulator</title><p>{SENTENCE}</p>\n"
        return web.Response(text=page, content_type="text/html")

    async def stats(self, request: web.Request) -> web.Response:
        """Counts since the start or the last reset; money in minor units by payment."""
        world = self._world
        sessions = Counter(each["status"] for each in world.store.every("checkout.session"))
        manners = Counter(
            "taken" if each["status"] and each["status"] < 300 else each["manner"]
            for each in world.sender.log
        )
        payments = {
            each.payment_id: money
            for each in world.purchases.every()
            if any((money := self._money(each)).values())
        }
        return web.json_response(
            {
                "checkout_sessions": {"made": sum(sessions.values()), **sessions},
                "payments": payments,
                "deliveries": {"attempts": len(world.sender.log), **manners},
                "requests": dict(world.requests),
                "scenarios": sorted(self._met()),
            }
        )

    def _met(self) -> set[str]:
        """Scenarios of what was made here, and of what was turned away before it was."""
        made = {word for each in self._world.purchases.every() for word in each.scenario.words}
        return made | {word for word, _ in self._world.turned_away}

    def _money(self, purchase: Purchase) -> dict[str, int]:
        purchases = self._world.purchases
        return {
            "taken": purchases.taken(purchase),
            "refunded": purchases.refunded(purchase),
            "disputed": purchases.disputed(purchase),
        }

    async def deliveries(self, request: web.Request) -> web.Response:
        """Every attempt to deliver an event, oldest first; ``payment`` picks one payment's."""
        wanted = request.query.get("payment")
        log = [each for each in self._world.sender.log if wanted in (None, each["payment"])]
        return web.json_response({"deliveries": log})

    async def payment(self, request: web.Request) -> web.Response:
        """All there is of one payment, by the shop's id or the id of any of its objects."""
        purchase = self._world.purchases.of_payment(request.match_info["id"])
        if purchase is None:
            raise no_such("payment", request.match_info["id"])
        objects = (self._world.store.find(each) for each in purchase.objects)
        log = [each for each in self._world.sender.log if each["payment"] == purchase.payment_id]
        return web.json_response(
            {
                "payment": purchase.payment_id,
                "scenario": purchase.scenario.shown(),
                **self._money(purchase),
                "objects": [each for each in objects if each is not None],
                "deliveries": log,
            }
        )

    async def control(self, request: web.Request) -> web.Response:
        """Play a scenario for the next session, or for the payment that is named."""
        asked = await _json(request)
        try:
            scenario = parse(str(asked.get("scenario", "")))
        except UnknownScenarioError as error:
            raise StripeError(str(error), param="scenario") from None
        if "payment" not in asked:
            self._world.next_scenario = scenario
            return web.json_response({"next": scenario.shown()})
        purchase = self._world.purchases.of_payment(str(asked["payment"]))
        if purchase is None:
            raise no_such("payment", str(asked["payment"]))
        purchase.scenario |= scenario
        self._play(purchase, scenario)
        return web.json_response(
            {"payment": purchase.payment_id, "scenario": purchase.scenario.shown()}
        )

    def _play(self, purchase: Purchase, scenario: Scenario) -> None:
        """What can be done at once is; the rest is played when its time comes."""
        world = self._world
        session = world.purchases.session(purchase)
        if session is not None:
            _falsify(session, scenario)
            if "pays-after-expiry" in scenario and session["status"] == "expired":
                email = (session["customer_details"] or {}).get("email") or "late@example.com"
                checkout.pay(world, session, CARDS["4242424242424242"], email)
        charges = world.purchases.objects(purchase, "charge")
        paid = [each for each in charges if each["status"] == "succeeded"]
        if paid and any(each in scenario for each in aftermath.AFTERWARDS):
            aftermath.play(world, paid[-1], scenario)

    async def reset(self, request: web.Request) -> web.Response:
        """Forget everything; what is under way ends."""
        await self._world.reset()
        self._keys.clear()
        return web.json_response({"reset": True})


def _falsify(session: Obj, scenario: Scenario) -> None:
    # Somebody changes what Stripe holds, behind the shop's back.
    if "wrong-amount" in scenario:
        session["amount_subtotal"] += ANOTHER_AMOUNT
        session["amount_total"] += ANOTHER_AMOUNT
    if "wrong-currency" in scenario:
        session["currency"] = ANOTHER_CURRENCY


async def _json(request: web.Request) -> dict[str, Any]:
    try:
        asked = await request.json()
    except json.JSONDecodeError:
        asked = None
    if not isinstance(asked, dict):
        raise StripeError('Send JSON: {"scenario": "late=3"}.')
    return asked
