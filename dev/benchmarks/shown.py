"""The delay from a finished video to its showing, and the polls that it takes, in real time.

Each video takes 45 to 60 s at the emulator, as long as customers are told of a fast one. The first
videos teach the service how long that is
(generation/provider/pace.py).
"""

from __future__ import annotations

import argparse
import json
import random
import shutil
import tempfile
import time
from pathlib import Path
from typing import Any

import httpx
import psycopg

from dev.benchmarks import customers
from dev.benchmarks.failure import BenchmarkFailed
from dev.benchmarks.figures import percentile
from dev.benchmarks.stage import LIMITS, MANY
from dev.embedded.environment import Options
from dev.embedded.stack import Stack

TEACHERS = 0.2  # videos to learn from, for each that is measured
SECONDS = (45.0, 60.0)  # that a video takes at the provider
EVERY = 1.0  # seconds between two orders
WITHIN = 180.0  # seconds until the last one is there, at most

# Counted from the request, a little before the provider begins: the figure is never too good.
LATENESS = """
SELECT extract(epoch FROM finished_at - asked_at)::float8
       - substring(prompt FROM 'slow=([0-9.]+)')::float8
  FROM generation_generation
  JOIN generation_attempt ON generation_id = generation_generation.id AND number = 1
 WHERE state = 'completed' AND generation_generation.id = ANY(%s)
"""


def shown(chosen: argparse.Namespace) -> dict[str, Any]:
    """Order videos one after another; seconds of lateness and polls of each that was measured."""
    folder = Path(tempfile.mkdtemp(prefix="reelmint-bench-"))
    limits = dict.fromkeys(LIMITS, MANY) | {"LOG_LEVEL": "WARNING"}
    stack = Stack(folder / "var", Options(durable=True, emulator_plain=True, environment=limits))
    chance = random.Random(1)
    try:
        stack.start()
        with psycopg.connect(stack.owner_url, autocommit=True) as connection:
            connection.execute("UPDATE generation_catalogmodel SET submits_per_minute = 6000")
            key = customers.make(connection, 1).authorization(0)
            teachers = max(1, round(chosen.videos * TEACHERS))
            print(f"{teachers} videos to learn from ...", flush=True)
            _make(stack, connection, key, [chance.uniform(*SECONDS) for _ in range(teachers)])
            print(f"{chosen.videos} videos to measure ...", flush=True)
            before = _polls(stack)
            lasting = [chance.uniform(*SECONDS) for _ in range(chosen.videos)]
            late = _make(stack, connection, key, lasting)
            polls = (_polls(stack) - before) / chosen.videos
    finally:
        stack.stop(grace=3.0)
        shutil.rmtree(folder, ignore_errors=True)
    figures = {
        "shown_after_p50_s": percentile(late, 0.5),
        "shown_after_p95_s": percentile(late, 0.95),
        "shown_after_max_s": max(late),
        "polls_per_video": polls,
    }
    print("\n" + "\n".join(f"{name:32}{value:>12.2f}" for name, value in figures.items()) + "\n")
    return figures


def _make(
    stack: Stack, connection: psycopg.Connection, key: str, lasting: list[float]
) -> list[float]:
    """For each video the seconds between ready at the provider and shown."""
    ids = []
    with httpx.Client(base_url=stack.base_url, headers={"Authorization": key}) as client:
        for seconds in lasting:
            prompt = f"A paper boat [emulator:slow={seconds:.2f}]"
            answer = client.post("/api/v1/generate/video/", json={"prompt": prompt})
            ids.append(answer.raise_for_status().json()["data"]["generation_id"])
            time.sleep(EVERY)
    limit = time.monotonic() + WITHIN
    while len(late := [row[0] for row in connection.execute(LATENESS, [ids])]) < len(ids):
        if time.monotonic() > limit:
            raise BenchmarkFailed(f"{len(ids) - len(late)} of {len(ids)} videos did not complete")
        time.sleep(0.5)
    return late


def _polls(stack: Stack) -> int:
    stats = json.loads(httpx.get(f"{stack.emulator_url}/emulator/stats").text)
    return int(stats["requests"].get("poll", 0))
