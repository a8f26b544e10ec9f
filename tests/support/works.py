"""A real emulator, and the stages run in this process."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from django.conf import settings
from django.db import connection

from generation.backends.base import Backend
from generation.models import Generation
from generation.models.states import OPEN
from generation.provider.buyers import BUYERS
from generation.provider.router import Router
from generation.stages.poll import PollStage
from generation.stages.prepare import PrepareStage
from generation.stages.store import StoreStage
from generation.stages.submit import SubmitStage
from work.engine import Engine

ROOT = Path(__file__).resolve().parent.parent.parent
# Seconds. A free machine needs a tenth of one; on a busy one the emulator draws for half a minute.
PATIENCE = 60.0
STAGES: dict[str, type[PrepareStage | SubmitStage | PollStage | StoreStage]] = {
    "prepare": PrepareStage,
    "submit": SubmitStage,
    "poll": PollStage,
    "store": StoreStage,
}


class Emulator:
    """The provider's stand-in, over real HTTP."""

    def __init__(self, url: str, credentials: Path) -> None:
        self.url = url
        self.credentials = credentials

    def stats(self) -> dict[str, Any]:
        return dict(httpx.get(f"{self.url}/emulator/stats").raise_for_status().json())

    def bought(self, generation_id: str) -> int:
        """How many operations were accepted for a generation."""
        return int(self.stats()["by_label"].get("generation", {}).get(str(generation_id), 0))


@pytest.fixture(scope="session")
def emulator_process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    folder = tmp_path_factory.mktemp("emulator")
    ready, credentials = folder / "ready", folder / "credentials.json"
    arguments = ["--port", "0", "--data-dir", str(folder / "data"), "--size", "small"]
    arguments += ["--plain", "--time-scale", "0.001", "--ready-file", str(ready)]
    arguments += ["--write-credentials", str(credentials)]
    process = subprocess.Popen(
        [sys.executable, "-m", "dev.emulator", *arguments], cwd=ROOT, stdout=subprocess.DEVNULL
    )
    ends = time.monotonic() + PATIENCE
    while not ready.exists() or not ready.read_text().strip():
        assert process.poll() is None
        assert time.monotonic() < ends
        time.sleep(0.05)
    yield Emulator(ready.read_text().strip(), credentials)
    process.terminate()
    process.wait(10)


class Works:
    """Runs the stages as a worker would, without one."""

    def __init__(self) -> None:
        self.engine = Engine()
        self._providers: dict[object, Router[Backend]] = {}

    @property
    def provider(self) -> Router[Backend]:
        """The one of the settings; making one costs 0.1 s, so each is kept."""
        names = ("VERTEX_BASE_URL", "STORAGE_BASE_URL", "SUBMIT_TIMEOUT", "READ_TIMEOUT")
        wanted = tuple(getattr(settings, name) for name in names)
        if wanted not in self._providers:
            self._providers[wanted] = Router(BUYERS)
        return self._providers[wanted]

    def run(self, stage: str) -> int:
        """One pass over what is due."""
        return self.engine.run(STAGES[stage](self.provider), seconds=0.0)

    def finish(self, generation_id: str, limit: float = PATIENCE) -> Generation:
        """Run all stages, making everything due at once, until the generation is over."""
        ends = time.monotonic() + limit
        while time.monotonic() < ends:
            make_due()
            for stage in STAGES:
                self.run(stage)
            generation = Generation.objects.get(pk=generation_id)
            if generation.state not in OPEN:
                return generation
            time.sleep(0.02)
        raise AssertionError(f"still {generation.state}: {generation.last_error}")

    def close(self) -> None:
        for provider in self._providers.values():
            self.engine.loop.run_until_complete(provider.aclose())
        self.engine.close()


def make_due(generation_id: str | None = None) -> None:
    """Let the time of every open row come; leases count as over."""
    statement = "UPDATE generation_generation SET next_attempt_at = now() WHERE state <> ALL(%s)"
    values: list[Any] = [["completed", "failed", "canceled"]]
    if generation_id is not None:
        statement, values = f"{statement} AND id = %s", [*values, generation_id]
    with connection.cursor() as cursor:
        cursor.execute(statement, values)


def age(generation_id: str, **columns: str) -> None:
    """Move a row's times: ``deadline_at="-1 second"`` is one second ago."""
    sets = ", ".join(f"{name} = now() + interval '{shift}'" for name, shift in columns.items())
    with connection.cursor() as cursor:
        cursor.execute(f"UPDATE generation_generation SET {sets} WHERE id = %s", [generation_id])


@pytest.fixture
def emulator(emulator_process: Emulator, monkeypatch: pytest.MonkeyPatch) -> Emulator:
    monkeypatch.setattr(settings, "VERTEX_BASE_URL", emulator_process.url)
    monkeypatch.setattr(settings, "SOURCE_IMAGE_ALLOWED_ORIGINS", frozenset({emulator_process.url}))
    monkeypatch.setitem(
        os.environ, "GOOGLE_APPLICATION_CREDENTIALS", str(emulator_process.credentials)
    )
    return emulator_process


@pytest.fixture(scope="session")
def _works_of_session() -> Iterator[Works]:
    found = Works()
    yield found
    found.close()


@pytest.fixture
def works(emulator: Emulator, _works_of_session: Works) -> Works:
    """Runs the stages in this process, with one client and loop like a worker's."""
    return _works_of_session


@pytest.fixture
def start(api: Callable[..., httpx.Client]) -> Callable[..., str]:
    """``start(person, prompt=…)`` creates a video over HTTP and returns its id."""

    def make(person: Any, path: str = "/api/v1/generate/video/", **body: Any) -> str:
        answer = api(person.key).post(path, json={"prompt": "a red fox"} | body)
        assert answer.status_code == 201, answer.text
        return str(answer.json()["data"]["generation_id"])

    return make
