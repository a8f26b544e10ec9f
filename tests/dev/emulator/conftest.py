"""A running emulator, as a process of its own; nothing here needs Django."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

ROOT = Path(__file__).resolve().parents[3]
FAST = "veo-3.1-fast-generate-001"


@dataclass(frozen=True)
class RunningEmulator:
    url: str
    credentials: Path
    process: subprocess.Popen[str]
    client: httpx.Client

    def model_url(self, model: str, verb: str, version: str = "v1") -> str:
        path = f"projects/shop/locations/us-central1/publishers/google/models/{model}"
        return f"{self.url}/{version}/{path}:{verb}"

    def submit(self, prompt: str, *, model: str = FAST, **body: Any) -> httpx.Response:
        """predictLongRunning; ``instance`` and ``parameters`` add to the plainest request."""
        instance = {"prompt": prompt} | body.pop("instance", {})
        payload = {"instances": [instance], **body}
        return self.client.post(self.model_url(model, "predictLongRunning"), json=payload)

    def poll(self, name: str, *, model: str = FAST) -> httpx.Response:
        url = self.model_url(model, "fetchPredictOperation")
        return self.client.post(url, json={"operationName": name})

    def finish(self, name: str, *, model: str = FAST) -> dict[str, Any]:
        """Poll until the operation is done."""
        for _ in range(400):
            answer: dict[str, Any] = self.poll(name, model=model).json()
            if answer.get("done"):
                return answer
            time.sleep(0.02)
        raise AssertionError("the operation did not end")

    def listed(self, bucket: str, prefix: str) -> list[dict[str, Any]]:
        url = f"{self.url}/storage/v1/b/{bucket}/o"
        answer: dict[str, Any] = self.client.get(url, params={"prefix": prefix}).json()
        items: list[dict[str, Any]] = answer.get("items", [])
        return items

    def stats(self) -> dict[str, Any]:
        answer: dict[str, Any] = self.client.get(f"{self.url}/emulator/stats").json()
        return answer

    def bought(self, generation: str) -> int:
        return int(self.stats()["by_label"].get("generation", {}).get(generation, 0))

    def billed(self, generation: str) -> int:
        return int(self.stats()["billed_by_label"].get("generation", {}).get(generation, 0))


def start_emulator(folder: Path, *options: str) -> tuple[subprocess.Popen[str], str]:
    """Start ``python -m dev.emulator`` and wait until it answers; gives the process and its URL."""
    ready = folder / "ready"
    command = [sys.executable, "-m", "dev.emulator", "--port", "0", "--size", "small"]
    command += ["--time-scale", "0.002", "--data-dir", str(folder / "data")]
    command += ["--ready-file", str(ready), *options]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    for _ in range(600):
        if ready.exists():
            return process, ready.read_text().strip()
        if process.poll() is not None:
            break
        time.sleep(0.02)
    process.kill()
    raise AssertionError("the emulator did not start")


@pytest.fixture(scope="session")
def anonymous() -> Iterator[httpx.Client]:
    """A client without a token; one for all, because making one takes 30 ms."""
    with httpx.Client() as client:
        yield client


@pytest.fixture(scope="session")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningEmulator]:
    folder = tmp_path_factory.mktemp("emulator")
    credentials = folder / "account.json"
    process, url = start_emulator(folder, "--write-credentials", str(credentials))
    headers = {"Authorization": "Bearer some-token"}
    with httpx.Client(headers=headers, timeout=20) as client:
        yield RunningEmulator(url, credentials, process, client)
    process.terminate()
    assert process.wait(5) == 0
    if process.stdout is not None:
        process.stdout.close()
