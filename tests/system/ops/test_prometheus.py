"""Debian's Prometheus, the real rules and intervals, a live stack whose workers are killed."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import httpx

from dev.embedded.processes import wait_until
from dev.embedded.services import STAGES
from dev.embedded.stack import Stack
from tests.e2e.customer import VIDEO, Customer
from tests.system.ops.conftest import Prometheus

WITHIN = 120.0  # seconds from the kill until the alert fires
SILENT = {("WorkersSilent", stage) for stage in STAGES}


@contextmanager
def load(stack: Stack, customer: Customer) -> Iterator[list[int]]:
    """Two orders a second until the end; the statuses they were answered with."""
    over, statuses = threading.Event(), []

    def order() -> None:
        with httpx.Client(
            base_url=stack.base_url, headers=customer.http.headers, timeout=20
        ) as client:
            while not over.wait(0.5):
                statuses.append(client.post(VIDEO, json={"prompt": "Under load"}).status_code)

    thread = threading.Thread(target=order)
    thread.start()
    try:
        yield statuses
    finally:
        over.set()
        thread.join()


def kill(stack: Stack, name: str) -> None:
    """SIGKILL to a worker and all its processes. Nobody calls stack.watch(), so it stays dead."""
    stack.processes.children[name].kill_group()


def test_killed_workers_are_reported_within_two_minutes(
    stack: Stack, rich: Customer, prometheus: Prometheus
) -> None:
    with load(stack, rich) as statuses:
        assert wait_until(lambda: heard_of(prometheus) >= {"tick", *STAGES}, 60, 0.5)
        assert prometheus.alerts() == set()
        for name in STAGES:
            kill(stack, name)
        killed = time.monotonic()
        assert wait_until(lambda: prometheus.alerts() >= SILENT, WITHIN, 0.5), prometheus.alerts(
            "pending"
        )
        took = time.monotonic() - killed
        assert ("BeatSilent", "tick") not in prometheus.alerts()
        for name in STAGES:
            stack.restart(name)
        assert wait_until(lambda: not SILENT & prometheus.alerts(), WITHIN, 0.5)
    print(f"\nWorkersSilent fired {took:.0f} s after the workers were killed")
    assert set(statuses) <= {201, 429}  # customers were served all the time
    assert 201 in statuses


def heard_of(prometheus: Prometheus) -> set[str]:
    """The stages that Prometheus knows workers of."""
    found = prometheus.ask("query", query="max by (stage) (reelmint_workers) > 0")["result"]
    return {entry["metric"]["stage"] for entry in found}
