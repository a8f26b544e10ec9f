"""Every program counts in a folder of its own, which begins empty."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from common.telemetry import metrics_folder
from dev.embedded.paths import CHECKOUT

TAKE = """
import os, sys
from common.telemetry import metrics_folder
folder = metrics_folder.take("web")
assert metrics_folder.is_own() and not list(folder.iterdir())
from common.telemetry import metrics
from work.metrics import STAGE_ERRORS
STAGE_ERRORS.inc()
assert metrics_folder.take("web") == folder and list(folder.glob("counter_*.db"))
read, write = os.pipe()
if os.fork() == 0:
    STAGE_ERRORS.inc(2)
    same = metrics_folder.take("celery") == folder and not metrics_folder.is_own()
    os.write(write, b"1" if same else b"0")
    os._exit(0)
assert os.read(read, 1) == b"1"
os.wait()
text = metrics.Scrape().text().decode()
assert "reelmint_stage_errors_total 3.0" in text, text
print(folder)
"""
TOO_LATE = """
import prometheus_client
from common.telemetry import metrics_folder
metrics_folder.take("web")
"""


def run(script: str, folder: Path) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"METRICS_DIR": str(folder)}
    return subprocess.run(
        [sys.executable, "-c", script],
        env=environment,
        cwd=CHECKOUT,
        capture_output=True,
        text=True,
    )


def test_forked_processes_count_together_and_dead_programs_are_swept(tmp_path: Path) -> None:
    first = run(TAKE, tmp_path)
    assert first.returncode == 0, first.stderr
    left = Path(first.stdout.strip())
    assert left.parent == tmp_path
    alive, strange = tmp_path / f"web-{os.getpid()}", tmp_path / "not-ours"
    alive.mkdir()
    strange.mkdir()
    second = run(TAKE, tmp_path)
    assert second.returncode == 0, second.stderr
    assert not left.exists()
    assert {alive, strange, Path(second.stdout.strip())} == set(tmp_path.iterdir())


def test_a_program_that_would_count_for_one_process_alone_does_not_start(tmp_path: Path) -> None:
    done = run(TOO_LATE, tmp_path)
    assert done.returncode == 1
    assert "imported too early" in done.stderr


def test_without_a_word_it_is_a_temporary_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("METRICS_DIR", raising=False)
    assert metrics_folder.base().name == f"reelmint-metrics-{os.getuid()}"
