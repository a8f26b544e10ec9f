"""A waiter of one's own: the real process, on the test's database."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from dev.embedded import services
from dev.embedded.processes import Child, stop_all, wait_ready
from tests.support.people import Person


class Running:
    """A process, and how to ask it."""

    def __init__(self, child: Child, url: str) -> None:
        self.child = child
        self.url = url
        self.clients: list[httpx.Client] = []

    def client(self, person: Person | None = None) -> httpx.Client:
        headers = {} if person is None else {"Authorization": f"Bearer {person.key}"}
        client = httpx.Client(base_url=self.url, headers=headers, timeout=40, verify=False)
        self.clients.append(client)
        return client

    def holds(self, kind: str) -> int:
        """How many requests it holds at this moment."""
        text = httpx.get(f"{self.url}/metrics").text
        name = f'reelmint_waiter_connections{{kind="{kind}"}} '
        [line] = [line for line in text.splitlines() if line.startswith(name)]
        return int(float(line.removeprefix(name)))


@pytest.fixture(scope="module")
def _process(base_url: str) -> Iterator[Running]:
    listener = services.listen(0)
    log = Path(tempfile.mkdtemp(prefix="rm-waiter-")) / "waiter.log"
    environment = os.environ | {"PUBLIC_BASE_URL": base_url}  # links lead to web
    child = Child(services.waiter(listener), environment, log)
    url = services.address(listener)
    try:
        wait_ready(child, lambda: services.answers(url), 60)
        yield Running(child, url)
    finally:
        stop_all([child], 15)
        listener.close()


@pytest.fixture
def waiter(_process: Running) -> Iterator[Running]:
    assert _process.child.exit_code is None, _process.child.death_message()
    yield _process
    while _process.clients:
        _process.clients.pop().close()
