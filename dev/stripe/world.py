"""What all calls and pages share: objects, purchases, deliveries, work for later."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Callable, Coroutine
from typing import Any

from dev.stripe.cards import CARDS, Means
from dev.stripe.delivery import Sender
from dev.stripe.objects.notice import make_endpoint, make_event
from dev.stripe.options import Options
from dev.stripe.purchases import Purchase, Purchases
from dev.stripe.scenarios import Scenario
from dev.stripe.wire.store import Obj, Store

Later = Callable[[], object]


class World:
    """Stripe's side, in memory. ``url`` is set as soon as the emulator listens."""

    def __init__(self, options: Options) -> None:
        self.options = options
        self.url = ""
        self.store = Store()
        self.purchases = Purchases(self.store)
        self.sender = Sender(options.time_scale, self.spawn)
        self.requests: Counter[str] = Counter()
        self.means: dict[str, Means] = {}  # by payment method; it shows four digits alone
        self.items: dict[str, list[Obj]] = {}  # line items by session
        self.orders: dict[str, Obj] = {}  # what was asked for, by session
        self.secrets: dict[str, list[str]] = {}  # by webhook endpoint
        self.next_scenario = Scenario()
        self.turned_away: Counter[tuple[str, str]] = Counter()
        self.request: Obj = {"id": None, "idempotency_key": None}
        self._work: set[asyncio.Task[None]] = set()
        self._begin()

    def _begin(self) -> None:
        if self.options.webhook_url:
            endpoint = make_endpoint(self.options.webhook_url, ["*"])
            del endpoint["secret"]
            self.store.add(endpoint)
            self.secrets[endpoint["id"]] = list(self.options.webhook_secrets)

    def emit(self, kind: str, obj: Obj, previous: Obj | None = None) -> Obj:
        """Make an event of what happened to ``obj`` and send it to who wants to know."""
        event = make_event(kind, obj, previous, self.request)
        endpoints = [
            (each, self.secrets[each["id"]])
            for each in self.store.every("webhook_endpoint")
            if each["status"] == "enabled" and {"*", kind} & set(each["enabled_events"])
        ]
        event["pending_webhooks"] = len(endpoints)
        self.store.add(event)
        self.record("event", kind, event)
        self.sender.send(event, endpoints, self.purchases.of(obj))
        return event

    def record(self, what: str, name: str, body: Obj) -> None:
        """Write an answer or an event down for who checks their shapes afterwards."""
        if self.options.record is not None:
            with self.options.record.open("a") as file:
                file.write(json.dumps({"what": what, "name": name, "body": body}) + "\n")

    def add(self, obj: Obj, purchase: Purchase | None = None) -> Obj:
        """Keep a new object, which may belong to a purchase."""
        self.store.add(obj)
        if purchase is not None:
            self.purchases.own(purchase, obj)
        return obj

    def means_of(self, method: Obj) -> Means:
        """What a payment method was made from."""
        return self.means.get(method["id"], CARDS["4242424242424242"])

    def take_scenario(self) -> Scenario:
        """What the control endpoint asked for: it is played once."""
        taken, self.next_scenario = self.next_scenario, Scenario()
        return taken

    def spawn(self, work: Coroutine[Any, Any, None]) -> None:
        """Start work that nobody waits for; a reset ends it."""
        task = asyncio.get_running_loop().create_task(work)
        self._work.add(task)
        task.add_done_callback(self._work.discard)

    def later(self, seconds: float, act: Later, *, scaled: bool = True) -> None:
        """Do something after so many seconds, scaled."""

        async def wait() -> None:
            await asyncio.sleep(seconds * (self.options.time_scale if scaled else 1))
            act()

        self.spawn(wait())

    async def reset(self) -> None:
        """Forget everything; what is under way ends."""
        await self.stop()
        self.store.clear()
        self.purchases.clear()
        self.sender.clear()
        self.requests.clear()
        self.turned_away.clear()
        for each in (self.means, self.items, self.orders, self.secrets):
            each.clear()
        self.next_scenario = Scenario()
        self._begin()

    async def stop(self) -> None:
        """End all work that is under way."""
        work = list(self._work)
        for task in work:
            task.cancel()
        await asyncio.gather(*work, return_exceptions=True)
