"""From order to shown video, ours and a textbook's: completed a second, and what each one costs.

Both get the same orders in turn, on the same servers. The emulator hands out one ready file. The
rate is measured with all orders at once; the cost at a pace that both keep: a flood saves the
textbook polls.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import math
import os
import random
import signal
import time
from collections.abc import Sequence
from dataclasses import replace
from itertools import cycle
from pathlib import Path
from typing import Any

import aiohttp
import httpx

from dev.benchmarks import usage
from dev.benchmarks.api import CREATE_PATH, ORDER
from dev.benchmarks.batch import Batch, Pair, figures, table
from dev.benchmarks.customers import Customers
from dev.benchmarks.failure import BenchmarkFailed
from dev.benchmarks.stage import MANY, WORKERS, TemporaryStage, settings_of
from dev.benchmarks.wrk import CONNECTIONS, Target
from dev.embedded import services

TIME_SCALE = 0.1  # a look is a tenth of a second long, so shorter videos would get fewer looks
SECONDS = (45.0, 60.0)  # that a video takes at the provider, to be scaled
CUSTOMERS = 50
PACE = 8.0  # orders a second
PACED = 0.25  # of the orders of a flood
WARM_UP = 60  # orders of each; ours learns from them how long a video takes
WITHIN = 240.0  # seconds for a batch
LOOK = 0.1  # seconds between two looks whether it is over
SHARED = ("postgres", "valkey", "emulator")

NO_BOUND = "UPDATE generation_catalogmodel SET max_open_operations = %s"
OURS = """
SELECT count(*) FILTER (WHERE next_attempt_at IS NOT NULL),
       count(*) FILTER (WHERE state = 'completed')
  FROM generation_generation
"""
TEXTBOOK = """
SELECT count(*) FILTER (WHERE status = 'processing'), count(*) FILTER (WHERE status = 'completed')
  FROM textbook.textbook_generation
"""


def pipeline(chosen: argparse.Namespace) -> dict[str, Any]:
    """Measure floods of ``chosen.orders`` and paced batches, ours and the textbook's in turn."""
    print("Starting PostgreSQL, Valkey, emulator, web, workers and beat ...", flush=True)
    with TemporaryStage(TIME_SCALE) as stage:
        load = os.getloadavg()[0]
        ours, textbook = Ours(stage), Textbook(stage)
        print("Warming both up ...", flush=True)
        for subject in (ours, textbook):
            subject.measure(WARM_UP, 0)
        floods: list[Pair] = []
        paced: list[Pair] = []
        few = max(1, round(chosen.orders * PACED))
        for number in range(1, chosen.rounds + 1):
            for pairs, orders, pace in ((floods, chosen.orders, math.inf), (paced, few, PACE)):
                first = ours.measure(orders, number, pace)
                pairs.append((first, textbook.measure(orders, number, pace)))
            print(f"round {number} of {chosen.rounds} done", flush=True)
        if ours.sizes() != textbook.sizes():
            raise BenchmarkFailed("They did not deliver the same file")
    print(f"\n{table('all at once', floods)}\n", flush=True)
    print(f"{table(f'{PACE:.0f} a second', paced)}\n", flush=True)
    return figures(floods, paced) | {"pipeline_load_before": load}


class Subject:
    """Something that takes orders and shows videos."""

    programs: tuple[str, ...]
    counts: str  # a query: how many are open, and how many completed

    def __init__(self, stage: TemporaryStage) -> None:
        self.stage = stage
        self.base_url = stage.stack.base_url
        self.targets: list[Target] = []

    def measure(self, orders: int, seed: int, pace: float = math.inf) -> Batch:
        """One batch, ordered at ``pace`` a second; equal seeds give equal orders.

        Raises BenchmarkFailed unless all of them completed.
        """
        os.sync()  # the writes of one batch are not paid by the next
        chance = random.Random(seed)
        targets = [
            replace(target, body=(target.body or {}) | {"prompt": _prompt(chance)})
            for _, target in zip(range(orders), cycle(self.targets), strict=False)
        ]
        wanted = self.counted()[1] + orders
        polls, before = self._polls(), self._used()
        began = time.monotonic()
        asyncio.run(_order(self.base_url, targets, pace))
        self._await(wanted, began + WITHIN)
        seconds = time.monotonic() - began
        cpu = {name: after - before[name] for name, after in self._used().items()}
        return Batch(orders, seconds, self._polls() - polls, cpu)

    def counted(self) -> tuple[int, int]:
        """How many are open, and how many completed."""
        with self.stage.superuser() as connection:
            row = connection.execute(self.counts.encode()).fetchone()
        return (int(row[0]), int(row[1])) if row else (0, 0)

    def sizes(self) -> set[int]:
        """Of all files that were delivered, in bytes."""
        files = [path for path in self.folder.rglob("*") if path.is_file()]
        if len(files) != self.counted()[1]:
            raise BenchmarkFailed(f"{self.folder.name}: {len(files)} files were kept")
        return {path.stat().st_size for path in files}

    @property
    def folder(self) -> Path:
        """Where it keeps what it delivers."""
        raise NotImplementedError

    def _await(self, wanted: int, limit: float) -> None:
        with self.stage.superuser() as connection:
            while True:
                row = connection.execute(self.counts.encode()).fetchone()
                if row == (0, wanted):
                    return
                if row is None or row[0] == 0 or time.monotonic() > limit:
                    raise BenchmarkFailed(f"{type(self).__name__}: not all completed: {row}")
                time.sleep(LOOK)

    def _used(self) -> dict[str, float]:
        names = (*self.programs, *SHARED)
        return {name: usage.cpu_with_ended(self.stage.stack, name) for name in names}

    def _polls(self) -> int:
        told = json.loads(httpx.get(f"{self.stage.stack.emulator_url}/emulator/stats").text)
        return int(told["requests"].get("poll", 0))


class Ours(Subject):
    """The product, as the embedded stack starts it."""

    programs = ("web", *WORKERS)
    counts = OURS

    def __init__(self, stage: TemporaryStage) -> None:
        super().__init__(stage)
        customers: Customers = stage.customers(CUSTOMERS)
        with stage.owner() as connection:
            connection.execute(
                "UPDATE generation_catalogmodel SET max_open_operations = %s", [MANY]
            )
        self.targets = [
            Target("POST", CREATE_PATH, customers.authorization(number), "", ORDER)
            for number in range(CUSTOMERS)
        ]

    @property
    def folder(self) -> Path:
        return Path(self.stage.stack.env["OUTPUT_ROOT"]) / "outputs"

    def measure(self, orders: int, seed: int, pace: float = math.inf) -> Batch:
        """One batch, with the ticks of beat, which the textbook's shall not pay for."""
        beat = self.stage.stack.processes.children["beat"]
        beat.signal(signal.SIGCONT)
        try:
            return super().measure(orders, seed, pace)
        finally:
            beat.signal(signal.SIGSTOP)


class Textbook(Subject):
    """The site of dev/benchmarks/textbook.py, and the worker of textbook_tasks.py."""

    programs = ("textbook", "textbook-worker")
    counts = TEXTBOOK

    def __init__(self, stage: TemporaryStage) -> None:
        super().__init__(stage)
        tokens = stage.textbook_tokens(CUSTOMERS)
        self.base_url = stage.serve("textbook")
        theirs = services.worker("textbook-worker", services.STAGES)
        words = {"config": f"{__package__}.textbook_celery", ",".join(services.STAGES): "textbook"}
        argv = [words.get(word, word) for word in theirs.argv]
        environment = stage.stack.env | settings_of("textbook")
        stage.stack.processes.run(replace(theirs, argv=argv), environment)
        self.targets = [
            Target("POST", "/generate/", f"Token {token}", "", ORDER) for token in tokens
        ]

    @property
    def folder(self) -> Path:
        return Path(self.stage.stack.env["OUTPUT_ROOT"]) / "textbook"


def _prompt(chance: random.Random) -> str:
    seconds = chance.uniform(*SECONDS) * TIME_SCALE
    return f"{ORDER['prompt']} [emulator:slow={seconds:.2f}]"


async def _order(base_url: str, targets: Sequence[Target], pace: float) -> None:
    """Send each once, on a few connections. Raises BenchmarkFailed when one was refused."""
    left = iter(enumerate(targets))
    began = time.monotonic()

    async def send(session: aiohttp.ClientSession) -> None:
        for number, target in left:
            await asyncio.sleep(max(0.0, began + number / pace - time.monotonic()))
            headers = {"Authorization": target.authorization}
            async with session.post(target.path, json=target.body, headers=headers) as answer:
                if answer.status != 201:
                    raise BenchmarkFailed(f"An order was answered {answer.status}")

    async with aiohttp.ClientSession(base_url) as session:
        await asyncio.gather(*(send(session) for _ in range(CONNECTIONS)))
