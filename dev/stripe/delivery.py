"""Webhooks: signed anew for each attempt, repeated until they are taken, and written down."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import time
from collections import deque
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any

import aiohttp

from dev.stripe.purchases import Purchase
from dev.stripe.scenarios import Scenario
from dev.stripe.wire.store import Obj, new_id

# Seconds before each further attempt, scaled. Stripe goes on for three days.
WAITS = (0.0, 5.0, 30.0, 120.0, 600.0, 3600.0, 10800.0)
ANSWER_SECONDS = 20.0
LOG_MAX = 20_000
OLD_SECONDS = 301 + 300
HELD_SECONDS = 60.0  # at most, for an event that is to come second


def sign(body: str, secrets: list[str], moment: int) -> str:
    """The header ``Stripe-Signature``, with a signature for each secret."""
    signed = [
        hmac.new(each.encode(), f"{moment}.{body}".encode(), hashlib.sha256).hexdigest()
        for each in secrets
    ]
    return ",".join([f"t={moment}", *(f"v1={each}" for each in signed)])


@dataclass(frozen=True, slots=True)
class Parcel:
    """An event on its way to one endpoint; ``manner`` says what is odd about it."""

    event: Obj
    url: str
    secrets: list[str]
    payment: str
    manner: str = "usual"
    late: float = 0.0


class Sender:
    """Sends events to endpoints; ``spawn`` starts work that a reset ends."""

    def __init__(
        self, time_scale: float, spawn: Callable[[Coroutine[Any, Any, None]], None]
    ) -> None:
        self._time_scale = time_scale
        self._spawn = spawn
        self._client: aiohttp.ClientSession | None = None
        # Events that nobody has answered yet: whose object it is, and who waits for the answer.
        self._unanswered: dict[str, tuple[str, asyncio.Event]] = {}
        self.log: deque[Obj] = deque(maxlen=LOG_MAX)

    def send(
        self, event: Obj, endpoints: list[tuple[Obj, list[str]]], purchase: Purchase | None
    ) -> None:
        """Begin the deliveries of ``event``, as the scenario of its payment wants them."""
        scenario = purchase.scenario if purchase else Scenario()
        payment = purchase.payment_id if purchase else ""
        if endpoints and "lost" not in scenario:
            self._unanswered[event["id"]] = (event["data"]["object"]["id"], asyncio.Event())
        for endpoint, secrets in endpoints:
            parcel = Parcel(event, endpoint["url"], secrets, payment)
            if "lost" in scenario:
                self._write(parcel, 0, None, "lost")
                continue
            for each in _parcels(parcel, scenario):
                self._spawn(self._deliver(each, purchase))

    async def answered(self, name: str, seconds: float) -> None:
        """Wait until each event of an object got its first answer, at most so long."""
        waits = [event.wait() for owner, event in self._unanswered.values() if owner == name]
        tasks = [asyncio.ensure_future(each) for each in waits]
        if tasks:
            _, pending = await asyncio.wait(tasks, timeout=seconds)
            for task in pending:
                task.cancel()

    def _is_answered(self, event: Obj) -> None:
        _, waiting = self._unanswered.pop(event["id"], ("", None))
        if waiting is not None:
            waiting.set()

    async def _deliver(self, parcel: Parcel, purchase: Purchase | None) -> None:
        if parcel.late:
            await asyncio.sleep(parcel.late)
        kind = parcel.event["type"]
        if purchase and kind == "checkout.session.completed" and "disorder" in purchase.scenario:
            await _at_most(purchase.refund_told.wait(), HELD_SECONDS)
        waits = WAITS if parcel.manner in ("usual", "second") else WAITS[:1]
        for attempt, wait in enumerate(waits, 1):
            await asyncio.sleep(wait * self._time_scale)
            status, problem = await self._post(parcel)
            self._write(parcel, attempt, status, problem)
            if parcel.manner == "usual":
                self._is_answered(parcel.event)
                if purchase and kind == "charge.refunded":
                    purchase.refund_told.set()
            if status is not None and 200 <= status < 300:
                if parcel.manner == "usual":
                    parcel.event["pending_webhooks"] -= 1
                return

    async def _post(self, parcel: Parcel) -> tuple[int | None, str]:
        """One attempt: the status of its answer, or why there was none."""
        event, secrets, moment = dict(parcel.event), parcel.secrets, int(time.time())
        if parcel.manner == "forged":
            secrets = ["whsec_of_somebody_else"]
        elif parcel.manner == "replayed":
            moment -= OLD_SECONDS
        elif parcel.manner == "othermode":
            event |= {"id": new_id("evt"), "livemode": True}
        body = json.dumps(event, indent=2)
        headers = {
            "Content-Type": "application/json; charset=utf-8",
            "Stripe-Signature": sign(body, secrets, moment),
            "User-Agent": "Stripe/1.0 (+https://stripe.com/docs/webhooks; emulated)",
        }
        if self._client is None:
            timeout = aiohttp.ClientTimeout(total=ANSWER_SECONDS)
            self._client = aiohttp.ClientSession(timeout=timeout)
        try:
            # A redirect counts as a failure, as with Stripe.
            async with self._client.post(
                parcel.url, data=body.encode(), headers=headers, allow_redirects=False
            ) as answer:
                await answer.read()
                return answer.status, ""
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            return None, type(error).__name__

    def _write(self, parcel: Parcel, attempt: int, status: int | None, problem: str) -> None:
        self.log.append(
            {
                "event": parcel.event["id"],
                "type": parcel.event["type"],
                "payment": parcel.payment,
                "url": parcel.url,
                "manner": parcel.manner,
                "attempt": attempt,
                "status": status,
                "problem": problem,
                "at": round(time.time(), 3),
            }
        )

    def clear(self) -> None:
        self.log.clear()
        self._unanswered.clear()

    async def close(self) -> None:
        if self._client is not None:
            await self._client.close()


def _parcels(parcel: Parcel, scenario: Scenario) -> list[Parcel]:
    late = scenario.number("late", 0)
    manners = [each for each in ("forged", "replayed", "othermode") if each in scenario]
    manners += ["usual", "second"] if "twice" in scenario else ["usual"]
    return [
        Parcel(parcel.event, parcel.url, parcel.secrets, parcel.payment, manner, late)
        for manner in manners
    ]


async def _at_most(waiting: Coroutine[Any, Any, Any], seconds: float) -> None:
    try:
        await asyncio.wait_for(waiting, seconds)
    except TimeoutError:
        return
