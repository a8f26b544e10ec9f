"""One real stack for all tests of this folder: every program of production, on this machine.

Under xdist all of them run in one process (tests/support/one_worker.py): it is started once.
"""

from __future__ import annotations

import contextlib
import json
import random
import shutil
import socket
import tempfile
from collections.abc import Iterator
from pathlib import Path

import httpx
import psutil
import pytest

from dev.embedded.environment import Options
from dev.embedded.paths import runtime_dir
from dev.embedded.processes import wait_until
from dev.embedded.services import STAGES
from dev.embedded.stack import Stack
from tests.dev.embedded.conftest import standing_in_environment
from tests.e2e.customer import Customer

# A lease lasts 2.7 s then, and a lost submission is looked for during 27 s.
TIME_SCALE = 0.03
CREDITS = 100_000
COUNTING = (*STAGES, "beat")  # the programs with a port for metrics, in the order of their start
PATIENCE_OF_LIMITS = {
    "RATE_LIMIT_CREATES": "1000",
    "RATE_LIMIT_READS": "100000",
    "RATE_LIMIT_UPLOADS": "1000",
}


@pytest.fixture(autouse=True)
def _clean_slate() -> None:
    """Nothing to sweep: the stack has servers of its own."""


@pytest.fixture(scope="session")
def stack() -> Iterator[Stack]:
    """A stack that is up; afterwards, nothing of it may be left."""
    folder = Path(tempfile.mkdtemp(prefix="rm-e2e-"))
    own_folders = {"OUTPUT_ROOT": f"{folder}/outputs", "WORK_DIR": f"{folder}/work"}
    options = Options(
        time_scale=TIME_SCALE,
        emulator_plain=True,
        stripe=True,
        receiver=True,
        waiter=True,
        environment=own_folders
        | PATIENCE_OF_LIMITS
        | {"DATABASE_CONN_MAX_AGE": "600", "WORKER_METRICS_PORT": str(free_ports(len(COUNTING)))},
    )
    running = Stack(folder / "var", options)
    running.start()
    try:
        yield running
    finally:
        programs = all_processes(running)
        others = (running.waiter_url, running.emulator_url, running.stripe_url)
        addresses = [running.base_url, *map(str, (*others, running.receiver_url))]
        running.stop()
    assert_nothing_is_left(folder, programs, addresses)
    shutil.rmtree(folder)


def free_ports(count: int) -> int:
    """The first of so many neighbours on loopback that nobody listens at."""
    while True:
        first = random.SystemRandom().randrange(20_000, 30_000)
        with contextlib.ExitStack() as probes, contextlib.suppress(OSError):
            for port in range(first, first + count):
                probes.enter_context(socket.socket()).bind(("127.0.0.1", port))
            return first


def all_processes(stack: Stack) -> list[psutil.Process]:
    """Every program of the stack and everything these started."""
    leaders = [psutil.Process(child.pid) for child in stack.processes.children.values()]
    return leaders + [child for leader in leaders for child in leader.children(recursive=True)]


def assert_nothing_is_left(
    folder: Path, programs: list[psutil.Process], addresses: list[str]
) -> None:
    """No process runs, no port answers, no socket lies about."""
    assert len(programs) > len(addresses)
    left: list[psutil.Process] = psutil.wait_procs(programs, timeout=2)[1]
    assert left == []
    assert wait_until(lambda: not standing_in_environment(str(folder)), 10)
    for address in addresses:
        url = httpx.URL(address)
        with socket.socket() as probe:
            assert probe.connect_ex((url.host, url.port)) != 0, f"{address} still listens"
    sockets = runtime_dir(folder / "var")  # asking for it makes it
    assert list(sockets.iterdir()) == []
    sockets.rmdir()


@pytest.fixture(scope="session")
def rich(stack: Stack) -> Iterator[Customer]:
    """Somebody who can pay for everything."""
    options = ("--credits", str(CREDITS), "--skip-checks")
    key = json.loads(stack.manage("create_account", "rich@example.com", *options))["key"]
    customer = Customer(stack, key)
    yield customer
    customer.http.close()


class Provider:
    """What the emulator says about what was bought from it."""

    def __init__(self, url: str) -> None:
        self.url = url

    def bought(self, generation_id: str) -> int:
        """How often the provider was paid for a generation."""
        stats = httpx.get(f"{self.url}/emulator/stats", timeout=10).json()
        return int(stats["by_label"].get("generation", {}).get(generation_id, 0))

    def bought_in_all(self) -> int:
        """How often it was paid at all."""
        return int(httpx.get(f"{self.url}/emulator/stats", timeout=10).json()["operations"])


@pytest.fixture
def provider(stack: Stack) -> Provider:
    return Provider(str(stack.emulator_url))
