"""How long the server takes for each page of the console, for somebody with 50 pages of data.

One request after the other, over one connection: the time of a page, not how many there can be.
"""

from __future__ import annotations

import argparse
import json
import time
from typing import Any

import httpx
import psycopg

from dev.benchmarks.failure import BenchmarkFailed
from dev.benchmarks.figures import percentile
from dev.benchmarks.seed import seed
from dev.benchmarks.stage import TemporaryStage

GENERATIONS = 2000  # more than 50 pages of the gallery, and of the ledger
WARM = 5  # requests of each page that do not count
EACH_ROUND = 20
PERSON = ("/me/", "/me/password/", "/me/email/", "/me/second-factor/", "/me/sessions/")
ACCOUNT = (
    *("", "create/", "gallery/", "gallery/{generation}/", "keys/", "webhooks/", "webhooks/orders/"),
    *("ledger/", "ledger.csv", "billing/", "settings/"),
)
NEWEST = """
SELECT account_id::text, created_by_id::text, id::text FROM generation_generation
 WHERE state = 'completed' ORDER BY created_at DESC LIMIT 1
"""


def pages(chosen: argparse.Namespace) -> dict[str, Any]:
    """Measure the pages that somebody who is logged in can open, in turn."""
    print("Starting PostgreSQL, Valkey, web, workers and beat ...", flush=True)
    with TemporaryStage() as stage:
        stage.rest()
        customers = stage.customers(1)
        with stage.owner() as connection:
            seed(connection, customers, GENERATIONS, 1)
            account, person, generation = _newest(connection)
        code = f"from {__package__} import probes; probes.tell(probes.session('{person}'))"
        cookies = json.loads(stage.stack.manage("shell", "--no-imports", "-c", code))
        home = f"/c/{account}/"
        paths = [*PERSON, *(home + each.format(generation=generation) for each in ACCOUNT)]
        with httpx.Client(base_url=stage.stack.base_url, cookies=cookies, timeout=20) as client:
            for path in paths:
                _milliseconds(client, path, WARM)
            took: dict[str, list[float]] = {path: [] for path in paths}
            for _ in range(chosen.rounds):
                stage.forget_rate_limits()
                for path in paths:
                    took[path] += _milliseconds(client, path, EACH_ROUND)
    return _told({_named(path, account, generation): each for path, each in took.items()})


def _newest(connection: psycopg.Connection) -> tuple[str, str, str]:
    """Account, person and id of a generation."""
    row = connection.execute(NEWEST).fetchone()
    if row is None:
        raise BenchmarkFailed("No generation was seeded")
    return row[0], row[1], row[2]


def _milliseconds(client: httpx.Client, path: str, times: int) -> list[float]:
    found = []
    for _ in range(times):
        began = time.perf_counter()
        answer = client.get(path)
        found.append((time.perf_counter() - began) * 1000)
        if answer.status_code != httpx.codes.OK:
            raise BenchmarkFailed(f"{path} was answered {answer.status_code}")
    return found


def _named(path: str, account: str, generation: str) -> str:
    return path.replace(account, "<account>").replace(generation, "<generation>")


def _told(took: dict[str, list[float]]) -> dict[str, Any]:
    """The table, and the slowest p95 for the last line."""
    print(f"\n{'':44}{'p50 ms':>9}{'p95 ms':>9}")
    for name, each in took.items():
        print(f"{name:44}{percentile(each, 0.5):9.1f}{percentile(each, 0.95):9.1f}")
    worst = max(percentile(each, 0.95) for each in took.values())
    return {"pages": len(took), "page_p95_ms": round(worst, 1)}
