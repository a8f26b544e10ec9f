"""The receiver of webhooks as a process, and what it remembers."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from dev.embedded.processes import wait_until

ROOT = Path(__file__).resolve().parents[2]


@dataclass(slots=True)
class Receiver:
    """``url`` is its origin: what is to be allowed."""

    url: str
    http: httpx.Client

    def hook(self, box: str, scenario: str = "") -> str:
        """The URL of an endpoint whose receiver plays the scenario."""
        return f"{self.url}/hooks/{box}" + (f"/{scenario}" if scenario else "")

    def configure(self, box: str, *secrets: str, scenario: str | None = None) -> None:
        """Say what verifies, and what is played whatever the URL says."""
        told = {"secrets": list(secrets), "scenario": scenario}
        self.http.put(f"/receiver/boxes/{box}", json=told).raise_for_status()

    def received(self, box: str | None = None) -> list[dict[str, Any]]:
        """All that a box, or any, has got, oldest first."""
        asked = {} if box is None else {"box": box}
        answer = self.http.get("/receiver/received", params=asked).raise_for_status()
        found: list[dict[str, Any]] = answer.json()["received"]
        return found

    def wait(self, box: str, count: int = 1, seconds: float = 20.0) -> list[dict[str, Any]]:
        """The same, once there are so many."""
        assert wait_until(lambda: len(self.received(box)) >= count, seconds, 0.1), (
            f"{box} got {self.received(box)}"
        )
        return self.received(box)


@contextmanager
def receiver(folder: Path, *options: str, port: int = 0) -> Iterator[Receiver]:
    """Run one; ``folder`` has its journal, which the next one there goes on with."""
    ready, journal = folder / "receiver.url", folder / "received.jsonl"
    ready.unlink(missing_ok=True)
    argv = [sys.executable, "-m", "dev.receiver", "--port", str(port), "--journal", str(journal)]
    process = subprocess.Popen(
        [*argv, "--ready-file", str(ready), *options], cwd=ROOT, stdout=subprocess.DEVNULL
    )
    try:
        assert wait_until(lambda: ready.exists() or process.poll() is not None, 20)
        assert process.poll() is None
        url = ready.read_text().strip()
        with httpx.Client(base_url=url, timeout=10) as http:
            yield Receiver(url, http)
    finally:
        process.terminate()
        process.wait(10)
