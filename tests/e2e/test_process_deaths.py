"""Workers and the broker die in the middle of it: everything finishes, nothing is bought twice."""

from __future__ import annotations

import signal

import httpx
import psutil

from dev.embedded.processes import wait_until
from dev.embedded.stack import Stack
from tests.e2e.conftest import Provider
from tests.e2e.customer import VIDEO, Customer

WORKERS = ("submit", "poll", "store")


def kill_children(stack: Stack, name: str) -> None:
    """SIGKILL to the processes that work for a worker, not to the worker itself."""
    children = psutil.Process(stack.processes.children[name].pid).children(recursive=True)
    assert children
    for child in children:
        child.kill()


def test_killed_workers(stack: Stack, rich: Customer, provider: Provider) -> None:
    """The submitting process dies while it waits for an answer to orders that were taken."""
    bought = provider.bought_in_all()
    prompts = ["Lost words [emulator:accepted-then-no-answer]"] * 3 + ["Clip"] * 7
    ordered = [rich.create(VIDEO, prompt) for prompt in prompts]
    # all have been sent then; one that was only noted would be waited for during the whole window
    assert wait_until(lambda: provider.bought_in_all() == bought + 10, 30)
    for name in WORKERS:
        kill_children(stack, name)
    rich.finished(ordered[-1])
    stack.restart("poll")  # and one as a whole, which loses the messages it had taken
    kill_children(stack, "store")
    finished = [rich.finished(generation_id) for generation_id in ordered]
    assert [body["status"] for body in finished] == ["completed"] * 10
    assert [provider.bought(generation_id) for generation_id in ordered] == [1] * 10
    # not the balance, in which what other tests left open may come to its end meanwhile
    mine = [row for row in rich.ledger() if row["generation_id"] in ordered]
    assert [(row["kind"], row["amount"]) for row in mine] == [("charge", -240)] * 10


def test_orders_are_taken_while_the_broker_is_dead(
    stack: Stack, rich: Customer, provider: Provider
) -> None:
    stack.processes.children["valkey"].signal(signal.SIGKILL)
    ordered = [rich.create(VIDEO, f"No broker {number}") for number in range(3)]
    ready = httpx.get(f"{stack.base_url}/readyz", timeout=10)
    assert (ready.status_code, ready.json()["broker"]) == (200, "away")
    stack.restart("valkey")
    ordered.append(rich.create(VIDEO, "The broker is back"))
    finished = [rich.finished(generation_id) for generation_id in ordered]
    assert [body["status"] for body in finished] == ["completed"] * 4
    assert [provider.bought(generation_id) for generation_id in ordered] == [1] * 4
    stack.manage("check_ledger", "--skip-checks")  # raises when the books do not balance
