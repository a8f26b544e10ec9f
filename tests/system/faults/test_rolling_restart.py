"""A deployment under load: every program is told to end and started anew, one after another, twice.

Customers see nothing of it: there are two web servers, and a request whose connection broke is
sent again with its key.
"""

from __future__ import annotations

import threading
from collections import Counter
from dataclasses import replace

import httpx

from dev.embedded.processes import wait_until
from dev.embedded.stack import Stack
from generation.models import Generation
from generation.models.states import State
from tests.e2e.conftest import Provider
from tests.e2e.customer import VIDEO, Customer
from tests.system.faults.conftest import MakeCustomer, assert_delivered_once
from tests.system.faults.process_controls import Hands

CLIENTS = 4
PAUSE = 0.3  # seconds between two rounds of requests of a client
WAITING = 4  # orders of a client that are open at once: a slow machine gets less load
# what ends together: never both web servers, and one stage at a time
STEPS = (("web", "submit"), ("web-2", "poll"), ("store", "prepare"))
# Seconds to end: gunicorn waits 5 s for its connections; a worker for a call (3 s) and for Redis's
# answer to its last question (5 s). docker-compose.yml gives 35.
LONGEST = 15.0
# which rows a stage's worker holds: none, once it has ended
STATES = {
    "submit": (State.QUEUED, State.SUBMITTING, State.SUBMIT_UNKNOWN),
    "poll": (State.RUNNING,),
    "store": (State.STORING,),
}


class Load:
    """A customer who orders and looks, steadily; ``wrong`` has every answer that was not a 2xx."""

    def __init__(self, customer: Customer, number: int) -> None:
        self.customer = customer
        self.ordered: list[str] = []
        self.wrong: list[str] = []
        self.tally: Counter[str] = Counter()
        self._number = number
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._live)

    def start(self) -> None:
        self._thread.start()

    def end(self) -> None:
        self._over.set()
        self._thread.join()

    def _live(self) -> None:
        waiting: list[str] = []
        while not self._over.wait(PAUSE):
            for name in list(waiting):
                answer = self._send("GET", f"/api/v1/generate/{name}/")
                if answer is not None and answer.json()["status"] != "processing":
                    waiting.remove(name)
            if len(waiting) < WAITING:
                key = f"rolling-{self._number}-{self.tally['orders']}"
                self.tally["orders"] += 1
                # of some, the answer is lost on its way to us
                marker = " [emulator:accepted-then-reset]" if self.tally["orders"] % 5 == 0 else ""
                body = {"prompt": key + marker}
                answer = self._send("POST", VIDEO, {"Idempotency-Key": key}, body)
                if answer is not None:
                    waiting.append(answer.json()["data"]["generation_id"])
                    self.ordered.append(waiting[-1])

    def _send(
        self,
        method: str,
        path: str,
        headers: dict[str, str] | None = None,
        body: dict[str, str] | None = None,
    ) -> httpx.Response | None:
        for _ in range(5):
            try:
                answer = self.customer.http.request(method, path, headers=headers, json=body)
            except httpx.TransportError as error:
                self.tally[f"lost: {type(error).__name__}"] += 1
                continue
            self.tally["answers"] += 1
            if answer.is_success:
                return answer
            self.wrong.append(f"{method} {path}: {answer.status_code} {answer.text[:200]}")
            return None
        self.wrong.append(f"{method} {path}: no connection, five times")
        return None


def restart(stack: Stack, hands: Hands, names: tuple[str, ...]) -> dict[str, float]:
    """SIGTERM, the end, a new start; how many seconds each took to end."""
    took = hands.stop_gracefully(*names)
    for name in names:
        leased = Generation.objects.filter(
            state__in=STATES.get(name, ()), lease_token__isnull=False
        )
        assert not leased.exists(), f"{name} left leases behind"
        stack.processes.restart(name)
    for name in names:
        # both gunicorn and Celery fork when all is loaded
        assert wait_until(lambda: len(hands.family(name)) > 1, 60)  # noqa: B023
    return took


def test_a_rolling_restart_is_not_noticed(
    stack: Stack, make_customer: MakeCustomer, provider: Provider, hands: Hands
) -> None:
    # on the same socket, as behind one address
    hands.add(replace(stack.processes.children["web"].program, name="web-2"))
    assert wait_until(lambda: len(hands.family("web-2")) > 1, 60)
    loads = [Load(make_customer(), number) for number in range(CLIENTS)]
    for load in loads:
        load.start()
    rounds: list[dict[str, float]] = []
    try:
        for _ in range(2):
            rounds += [restart(stack, hands, names) for names in STEPS]
    finally:
        for load in loads:
            load.end()
    total = sum((load.tally for load in loads), Counter[str]())
    print([{name: round(took, 1) for name, took in each.items()} for each in rounds], dict(total))
    assert [sentence for load in loads for sentence in load.wrong] == []
    assert "lost: ReadTimeout" not in total  # somebody always listens
    assert total["orders"] > WAITING * CLIENTS
    for each in rounds:
        assert max(each.values()) < LONGEST, each
    for load in loads:
        assert len(load.ordered) == load.tally["orders"]
        assert_delivered_once(load.customer, provider, load.ordered)
