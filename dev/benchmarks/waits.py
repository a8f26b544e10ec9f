"""What it costs to hold requests: memory and processor of the waiter, and whether web notices.

Half of them are streams, half are waits. All of their generations end in one commit, which is the
worst that can happen to a waiter.
"""

from __future__ import annotations

import argparse
import asyncio
import resource
import time
from collections.abc import Sequence
from functools import partial
from typing import Any, cast

import psycopg

from dev.benchmarks import customers, in_flight, open_loop
from dev.benchmarks.failure import BenchmarkFailed
from dev.benchmarks.figures import percentile
from dev.benchmarks.stage import TemporaryStage
from dev.benchmarks.usage import cpu_seconds, family
from dev.benchmarks.wrk import Target
from dev.embedded.stack import Stack

PER_ACCOUNT = 50
PER_SECOND = 150  # begun; slower than a machine of two cores can
STATUSES = 50.0  # a second, of web meanwhile
REST = 8.0  # seconds
LONGEST_WAIT = 25.0  # seconds
END = """
UPDATE generation_generation
   SET state = 'completed', version = version + 1, next_attempt_at = NULL, finished_at = now(),
       updated_at = now(), output_uri = 'gs://bench-outputs/' || id || '/sample_0.mp4',
       output_key = 'outputs/' || id || '.mp4', output_type = 'video/mp4', output_size = 2000000,
       output_sha256 = encode(sha256(id::text::bytea), 'hex')
 WHERE id = ANY(%s::uuid[])
"""
IDS = (
    "SELECT md5(%(tag)s || '-generation-' || number)::uuid::text FROM generate_series(1, %(n)s) n"
    "(number) ORDER BY number"
)


class Client(asyncio.Protocol):
    """One that asks and waits; ``ended_at`` is when it had been told of the end."""

    def __init__(self, request: bytes, sign: bytes) -> None:
        self._request = request
        self._sign = sign
        self._tail = b""
        self.ended_at: float | None = None
        self.told = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        cast("asyncio.Transport", transport).write(self._request)

    def data_received(self, data: bytes) -> None:
        """Only the newest part is kept."""
        self.told = self.told or data[:200]
        self._tail = (self._tail + data)[-4096:]
        if self.ended_at is None and self._sign in self._tail:
            self.ended_at = time.monotonic()


def waits(chosen: argparse.Namespace) -> dict[str, Any]:
    """Hold ``chosen.held`` requests, measure, end them all, and measure again."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    print("Starting PostgreSQL, Valkey, web, the waiter, workers and beat ...", flush=True)
    with TemporaryStage(waiter=True) as stage:
        stage.rest()
        with stage.owner() as connection:
            made = customers.make(connection, -(-chosen.held // PER_ACCOUNT))
            values = {
                "tag": made.tag,
                "operations": [f"operations/{number}" for number in range(chosen.held)],
                "each": PER_ACCOUNT,
                "credits": customers.CREDITS,
                "target": 86_400.0,
                "project": "bench-project",
                "bucket": "bench-outputs",
                "model": in_flight.MODEL,
            }
            connection.execute(in_flight.ROWS, values)
            connection.execute("VACUUM ANALYZE")
            found = connection.execute(IDS, {"tag": made.tag, "n": chosen.held}).fetchall()
            ids = [str(row[0]) for row in found]
            figures = asyncio.run(_measured(stage.stack, connection, made, ids))
    print("\n" + "\n".join(f"{name:32}{value:>12}" for name, value in figures.items()) + "\n")
    return figures


async def _measured(
    stack: Stack, connection: psycopg.Connection, made: customers.Customers, ids: Sequence[str]
) -> dict[str, Any]:
    statuses = [
        Target("GET", f"/api/v1/generate/{each}/", made.authorization(number // PER_ACCOUNT))
        for number, each in enumerate(ids[:200])
    ]
    begun_with, alone = _memory(stack), await _web(stack, statuses)
    half = len(ids) // 2
    held = await _begin(stack, made, ids, range(half), stream=True)
    await asyncio.sleep(2)
    held += await _begin(stack, made, ids, range(half, len(ids)), stream=False)
    await asyncio.sleep(2)
    memory, used, at = _memory(stack), cpu_seconds(stack, "waiter"), time.monotonic()
    beside = await _web(stack, statuses)
    used = (cpu_seconds(stack, "waiter") - used) / (time.monotonic() - at)
    if early := [each.told for each in held if each.ended_at is not None]:
        raise BenchmarkFailed(f"{len(early)} were not held, such as {early[0]!r}")
    await asyncio.to_thread(connection.execute, END, [list(ids)])
    ended = time.monotonic()
    for _ in range(int(LONGEST_WAIT * 10)):
        left = [each for each in held if each.ended_at is None]
        if not left:
            break
        await asyncio.sleep(0.1)
    if left:
        raise BenchmarkFailed(f"{len(left)} of {len(held)} were not told of the end")
    took = sorted(each.ended_at - ended for each in held if each.ended_at is not None)
    return {
        "held": len(held),
        "waiter_rss_mb": memory,
        "waiter_rss_grown_mb": round(memory - begun_with, 1),
        "waiter_cpu_share": round(used, 3),
        "told_p50_s": round(percentile(took, 0.5), 2),
        "told_p95_s": round(percentile(took, 0.95), 2),
        "told_last_s": round(took[-1], 2),
        "web_status_p99_ms_alone": round(percentile(alone, 0.99) * 1000, 1),
        "web_status_p99_ms_beside": round(percentile(beside, 0.99) * 1000, 1),
    }


async def _web(stack: Stack, targets: Sequence[Target]) -> list[float]:
    """Seconds that web's own statuses take, at a rate that leaves it time."""
    took = await open_loop.measured(stack.base_url, targets, STATUSES, REST)
    return sorted(took)


async def _begin(
    stack: Stack,
    made: customers.Customers,
    ids: Sequence[str],
    numbers: range,
    *,
    stream: bool,
) -> list[Client]:
    loop, clients = asyncio.get_running_loop(), []
    host, _, port = str(stack.waiter_url).removeprefix("http://").partition(":")
    started = loop.time()
    for count, number in enumerate(numbers):
        path = f"/api/v1/generate/{ids[number]}/"
        path += "events/" if stream else "?wait=25"
        secret = made.authorization(number // PER_ACCOUNT)
        request = f"GET {path} HTTP/1.1\r\nHost: {host}\r\nAuthorization: {secret}\r\n\r\n"
        client = Client(request.encode(), b"event: done" if stream else b"\r\n\r\n")
        await loop.create_connection(partial(_same, client), host, int(port))
        clients.append(client)
        await asyncio.sleep(max(0.0, started + count / PER_SECOND - loop.time()))
    return clients


def _same(client: Client) -> Client:
    return client


def _memory(stack: Stack) -> float:
    """MB of RSS of the process that holds."""
    return round(family(stack, "waiter")[1].memory_info().rss / 1e6, 1)
