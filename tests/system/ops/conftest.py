"""A stack of tests/e2e for this folder alone, and a Prometheus that scrapes it as in production.

`make test-ops` runs this folder; `make test` does not: half a minute has to pass before somebody
counts as silent.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from dev.embedded.paths import CHECKOUT
from dev.embedded.processes import wait_until
from dev.embedded.stack import Stack
from tests.e2e.conftest import COUNTING, _clean_slate, rich, stack
from tests.support.ops_words import CONFIGURATION

__all__ = ["_clean_slate", "rich", "stack"]  # fixtures of tests/e2e, here with a stack of ours

UNPACKED = CHECKOUT / "var" / "prometheus" / "usr" / "bin"


class Prometheus:
    """A running server, asked over its API."""

    def __init__(self, url: str) -> None:
        self.url = url

    def ask(self, path: str, **query: str) -> Any:
        answer = httpx.get(f"{self.url}/api/v1/{path}", params=query, timeout=10)
        return answer.raise_for_status().json()["data"]

    def alerts(self, state: str = "firing") -> set[tuple[str, str]]:
        """Names and stages (empty where there is none) of the alerts in a state."""
        return {
            (alert["labels"]["alertname"], alert["labels"].get("stage", ""))
            for alert in self.ask("alerts")["alerts"]
            if alert["state"] == state
        }

    def health(self) -> dict[str, str]:
        """The last error of each target; empty where it was scraped well."""
        targets = self.ask("targets")["activeTargets"]
        return {
            target["scrapeUrl"]: target["lastError"] if target["health"] == "up" else "not yet"
            for target in targets
        }


def configured(stack: Stack, folder: Path) -> Path:
    """The example's configuration with the addresses of this stack; the rules are the real ones."""
    found = yaml.safe_load(CONFIGURATION.read_text())
    first = int(stack.options.environment["WORKER_METRICS_PORT"])
    addresses = {
        "reelmint-web": [stack.base_url.removeprefix("http://")],
        "reelmint-workers": [f"127.0.0.1:{first + number}" for number in range(len(COUNTING))],
    }
    addresses["reelmint-workers"].append(str(stack.waiter_url).removeprefix("http://"))
    for job in found["scrape_configs"]:
        job["static_configs"] = [{"targets": addresses[job["job_name"]]}]
        del job["authorization"]  # from loopback none is needed
    del found["alerting"]
    found["rule_files"] = [str(CONFIGURATION.with_name("alerts.yml"))]
    path = folder / "prometheus.yml"
    path.write_text(yaml.safe_dump(found))
    return path


@pytest.fixture
def prometheus(stack: Stack, tmp_path: Path, free_port: int) -> Iterator[Prometheus]:
    """Up, and every program of the stack was scraped well."""
    program = shutil.which("prometheus", path=f"{UNPACKED}{os.pathsep}{os.environ['PATH']}")
    assert program, "make test-ops unpacks Debian's package"
    arguments = [f"--config.file={configured(stack, tmp_path)}"]
    arguments += [f"--storage.tsdb.path={tmp_path}/data"]
    arguments += [f"--web.listen-address=127.0.0.1:{free_port}"]
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen([program, *arguments], stdout=log, stderr=log)
    server = Prometheus(f"http://127.0.0.1:{free_port}")
    try:
        assert wait_until(lambda: is_up(server), 30, 0.2), (tmp_path / "log").read_text()
        assert wait_until(lambda: not any(server.health().values()), 30, 0.5), server.health()
        yield server
    finally:
        process.terminate()
        process.wait(20)


def is_up(server: Prometheus) -> bool:
    try:
        return httpx.get(f"{server.url}/-/ready", timeout=2).is_success
    except httpx.HTTPError:
        time.sleep(0.1)
        return False
