"""The whole product on real processes, with handles to stop and freeze each of them."""

from __future__ import annotations

import json
import signal
import time
from collections.abc import Callable
from pathlib import Path

import httpx
import psycopg
import redis

from dev.chaos.outages_load import Client
from dev.embedded.environment import Options
from dev.embedded.processes import signal_group, wait_until
from dev.embedded.stack import Stack

# A lease lasts 13 s, the search for a lost submission 2 min, and the deadline is 4.5 min: long
# enough for a slow machine, so that only an outage makes anything fail.
TIME_SCALE = 0.15
MANY = "1000000000"
LIMITS = ("RATE_LIMIT_CREATES", "RATE_LIMIT_READS", "MAX_OPEN_GENERATIONS")
WORKERS = ("prepare", "submit", "poll", "store")
# The provider's quota is not what is measured here.
NO_QUOTA = (
    "UPDATE generation_catalogmodel SET submits_per_minute = 1000000, max_open_operations = 100000"
)
BY_KEY = """
SELECT g.idempotency_key, g.id::text, g.state,
       (SELECT count(*) FROM credits_ledgerentry e
         WHERE e.generation_id = g.id AND e.kind = 'charge')
  FROM generation_generation g WHERE g.idempotency_key LIKE %s || '-%%'
"""


class Site:
    """Use it from one thread that outlives it (dev/embedded/processes.py says why)."""

    def __init__(self, folder: Path) -> None:
        environment = dict.fromkeys(LIMITS, MANY) | {
            "OUTPUT_ROOT": str(folder / "outputs"),
            "WORK_DIR": str(folder / "work"),
        }
        options = Options(
            durable=True, time_scale=TIME_SCALE, emulator_plain=True, environment=environment
        )
        self.stack = Stack(folder / "var", options)

    def start(self) -> Client:
        """Bring all up, workers included; a client of an account that can pay for everything."""
        self.stack.start()
        with psycopg.connect(self.stack.owner_url, autocommit=True) as connection:
            connection.execute(NO_QUOTA.encode())
        options = ("--credits", "2000000000", "--skip-checks")
        key = json.loads(self.stack.manage("create_account", "o@example.com", *options))["key"]
        client = Client(self.stack.base_url, key)
        client.order("warm-up", 4)
        if not wait_until(lambda: self.still_open() == 0, 60, 0.2):
            raise RuntimeError("not even an ordinary order was finished")
        return client

    def stop(self) -> None:
        for name in [*WORKERS, "beat", "valkey"]:
            self.freeze(name, go_on=True)
        self.stack.stop(grace=3.0)

    def freeze(self, *names: str, go_on: bool = False) -> None:
        """SIGSTOP, or SIGCONT, to programs and all that they started."""
        children = self.stack.processes.children if self.stack.env else {}
        for name in names:
            if name in children and children[name].exit_code is None:
                number = signal.SIGCONT if go_on else signal.SIGSTOP
                signal_group(children[name].pid, number)

    def kill(self, name: str, number: signal.Signals = signal.SIGKILL) -> None:
        """End a server and wait until it is gone."""
        child = self.stack.processes.children[name]
        child.signal(number)
        if not wait_until(lambda: child.exit_code is not None, 10):
            raise RuntimeError(f"{name} did not end")

    def redis(self, command: Callable[[redis.Redis], object]) -> None:
        """Have the broker do something."""
        with redis.Redis.from_url(self.stack.env["REDIS_URL"], socket_timeout=5) as client:
            command(client)

    def still_open(self) -> int:
        """How many generations are not over."""
        return self._count("finished_at IS NULL")

    def queued(self, name: str) -> int:
        """The number of orders of that name that no worker has begun."""
        return self._count(f"state = 'queued' AND idempotency_key LIKE '{name}-%'")

    def drained_in(self, seconds: float) -> float | None:
        """Seconds until nothing was open any more; None when that took longer than ``seconds``."""
        began = time.monotonic()
        if not wait_until(lambda: self.still_open() == 0, seconds, 0.2):
            return None
        return round(time.monotonic() - began, 1)

    def unfinished(self, name: str, keys: int) -> list[str]:
        """The wrong orders of that name; a right key has one completed generation, charged once."""
        with psycopg.connect(self.stack.owner_url) as connection:
            rows = connection.execute(BY_KEY.encode(), (name,)).fetchall()
        bought = self._bought()
        wrong = [
            f"{key}: {state}, charged {charges} times, bought {bought.get(generation, 0)} times"
            for key, generation, state, charges in rows
            if (state, charges, bought.get(generation)) != ("completed", 1, 1)
        ]
        if len(rows) != keys:
            wrong.append(f"{len(rows)} generations instead of {keys}")
        return wrong

    def bought_twice(self) -> int:
        """Generations of all scenarios that the provider was asked for more than once."""
        return sum(times > 1 for times in self._bought().values())

    def dead(self) -> list[str]:
        """Programs that ended on their own."""
        children = self.stack.processes.children
        return [name for name, child in children.items() if child.exit_code is not None]

    def _count(self, condition: str) -> int:
        query = f"SELECT count(*) FROM generation_generation WHERE {condition}"
        with psycopg.connect(self.stack.owner_url, connect_timeout=5) as connection:
            row = connection.execute(query.encode()).fetchone()
        return row[0] if row else 0

    def _bought(self) -> dict[str, int]:
        stats = httpx.get(f"{self.stack.emulator_url}/emulator/stats", timeout=20).json()
        found: dict[str, int] = stats["by_label"].get("generation", {})
        return found
