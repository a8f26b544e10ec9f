"""A busy worker takes every wake-up into its memory; so only a few may be sent meanwhile."""

from __future__ import annotations

import time

import psutil
import redis

from dev.embedded.stack import Stack
from tests.e2e.conftest import Provider
from tests.e2e.customer import VIDEO, Customer
from work.wake import FLAG_SECONDS, QUEUES

WORKERS = ("submit", "poll", "store")
ORDERS = 24
PAUSE = 0.08  # seconds between two, more than wake-ups of one web process keep


class Overheard:
    """Everything that is said to the broker from its making on."""

    def __init__(self, broker: redis.Redis) -> None:
        self._broker = broker
        self._monitor = broker.monitor().__enter__()

    def messages(self) -> int:
        """How many were put into the stages' queues until now; ends the listening."""
        self._broker.echo("that is all")
        count = 0
        for said in self._monitor.listen():
            words = said["command"].split()
            if words[0] == "ECHO":
                break
            count += words[0] == "LPUSH" and words[1] in QUEUES
        self._monitor.__exit__()
        return count


def test_wake_ups_do_not_pile_up_in_a_busy_worker(
    stack: Stack, rich: Customer, provider: Provider
) -> None:
    """The processes that work are held, as if they were busy; those that take messages are not."""
    rich.finished(rich.create(VIDEO, "The workers are up"))
    busy = [
        child
        for name in WORKERS
        for child in psutil.Process(stack.processes.children[name].pid).children()
    ]
    ordered: list[str] = []
    with redis.Redis.from_url(stack.env["REDIS_URL"]) as broker:
        overheard = Overheard(broker)
        for process in busy:
            process.suspend()
        try:
            began = time.monotonic()
            for _ in range(ORDERS):
                ordered.append(rich.create(VIDEO, "Busy"))
                time.sleep(PAUSE)
            busy_for = time.monotonic() - began
            messages = overheard.messages()
            waiting = sum(broker.llen(queue) for queue in set(QUEUES.values()))
        finally:
            for process in busy:
                process.resume()
    assert waiting <= 1  # all are in the workers' memories, but for one on its way
    assert 0 < messages <= len(QUEUES) * (2 + busy_for / FLAG_SECONDS)
    assert [rich.finished(each)["status"] for each in ordered] == ["completed"] * len(ordered)
    assert {provider.bought(each) for each in ordered} == {1}
