"""Load by wrk: as many requests as 16 connections get answered, by a program that costs little."""

from __future__ import annotations

import json
import secrets
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dev.benchmarks.failure import BenchmarkFailed, NothingAnswered

CONNECTIONS = 16
SCRIPT = Path(__file__).with_name("load.lua")


@dataclass(frozen=True, slots=True)
class Target:
    """One request, sent over and over; with a ``body`` each time under a new Idempotency-Key."""

    method: str
    path: str
    authorization: str = ""
    tag: str = ""  # for If-None-Match
    body: dict[str, Any] | None = None

    def line(self) -> str:
        body = "" if self.body is None else json.dumps(self.body)
        return "\t".join((self.method, self.path, self.authorization, self.tag, body))


@dataclass(frozen=True, slots=True)
class Answered:
    """What a load came to; ``bytes`` are those of the answers, with their headers."""

    requests: int
    seconds: float
    bytes: int
    p50_ms: float
    p99_ms: float

    @property
    def per_second(self) -> float:
        return self.requests / self.seconds


def program() -> str:
    """Where wrk is. Raises BenchmarkFailed that says how to get it."""
    found = shutil.which("wrk")
    if found is None:
        raise BenchmarkFailed("wrk is needed: apt-get install wrk (`make bench` does it)")
    return found


def load(
    base_url: str, targets: Sequence[Target], seconds: float, connections: int = CONNECTIONS
) -> Answered:
    """Send ``targets`` in turn for so long. Raises BenchmarkFailed when any was refused."""
    with tempfile.NamedTemporaryFile("w", prefix="reelmint-wrk-") as file:
        file.write("".join(f"{target.line()}\n" for target in targets))
        file.flush()
        options = [f"-c{connections}", "-t1", f"-d{max(1, round(seconds))}s", "--timeout", "10s"]
        argv = [program(), *options, "-s", str(SCRIPT), base_url, "--"]
        done = subprocess.run(
            [*argv, file.name, secrets.token_hex(6)], capture_output=True, text=True, check=False
        )
    if done.returncode:
        raise BenchmarkFailed(f"wrk failed:\n{done.stdout}{done.stderr}")
    return parse(done.stdout)


def parse(output: str) -> Answered:
    """What load.lua wrote as its last line. Raises BenchmarkFailed for refused or lost requests."""
    line = output.strip().rpartition("\n")[2]
    try:
        told = json.loads(line)
    except ValueError as error:
        raise BenchmarkFailed(f"wrk did not say how it went:\n{output}") from error
    if not told["requests"] and not told["broken"]:
        raise NothingAnswered(f"Not every request was answered as it should be: {line}")
    if told["refused"] or told["broken"]:
        raise BenchmarkFailed(f"Not every request was answered as it should be: {line}")
    return Answered(
        requests=told["requests"],
        seconds=told["microseconds"] / 1e6,
        bytes=told["bytes"],
        p50_ms=told["p50_us"] / 1e3,
        p99_ms=told["p99_us"] / 1e3,
    )
