"""Latency at a given rate, by a client that does not wait for the server.

Each request is measured from the moment when it is due. A server that stalls makes all requests of
that time late, as it does to real customers. A closed loop would send fewer instead.
"""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Sequence
from itertools import cycle
from typing import Any

import aiohttp

from dev.benchmarks.failure import BenchmarkFailed
from dev.benchmarks.wrk import Target

MAX_WAITING = 1000  # requests; beyond it the rate is plainly too high


def latencies(
    base_url: str, targets: Sequence[Target], per_second: float, seconds: float
) -> list[float]:
    """Seconds that each answer took. Raises BenchmarkFailed when any was refused."""
    return asyncio.run(measured(base_url, targets, per_second, seconds))


async def measured(
    base_url: str, targets: Sequence[Target], per_second: float, seconds: float
) -> list[float]:
    word = secrets.token_hex(6)
    count = max(1, round(per_second * seconds))
    took: list[float] = []
    waiting: set[asyncio.Task[None]] = set()
    connector = aiohttp.TCPConnector(limit=0)
    timeout = aiohttp.ClientTimeout(total=30)
    async with aiohttp.ClientSession(connector=connector, timeout=timeout) as session:
        start = time.perf_counter() + 0.05
        for number, target in zip(range(count), cycle(targets), strict=False):
            due = start + number / per_second
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
            sent = _send(session, base_url, target, f"{word}-{number}", due, took)
            task = asyncio.create_task(sent)
            waiting.add(task)
            task.add_done_callback(waiting.discard)
            if len(waiting) > MAX_WAITING:
                raise BenchmarkFailed(f"{base_url} does not keep up with {per_second:.0f}/s")
        await asyncio.gather(*waiting)
    if len(took) != count:
        raise BenchmarkFailed(f"{count - len(took)} of {count} requests were not answered")
    return took


async def _send(
    session: aiohttp.ClientSession,
    base_url: str,
    target: Target,
    key: str,
    due: float,
    took: list[float],
) -> None:
    headers = {"Authorization": target.authorization}
    options: dict[str, Any] = {}
    if target.tag:
        headers["If-None-Match"] = target.tag
    if target.body is not None:
        headers["Idempotency-Key"] = key
        options["json"] = target.body
    async with session.request(
        target.method, base_url + target.path, headers=headers, **options
    ) as answer:
        await answer.read()
        if answer.status >= 400:
            raise BenchmarkFailed(f"{target.path} was answered {answer.status}")
    took.append(time.perf_counter() - due)
