"""Crash points do nothing unless they are armed, and then kill and note it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from common import crash

ROOT = Path(__file__).resolve().parent.parent.parent
PASS = "from common.crash import crash_point; crash_point('here'); print('passed')"


def run(tmp_path: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    variables = {name: value for name, value in os.environ.items() if "CRASH" not in name}
    variables |= {"CRASH_LOG": str(tmp_path / "log"), **environment}
    return subprocess.run(
        [sys.executable, "-c", PASS], cwd=ROOT, env=variables, capture_output=True, text=True
    )


def test_an_armed_point_kills_and_notes_it(tmp_path: Path) -> None:
    for _ in range(2):
        done = run(tmp_path, CRASH_POINTS="elsewhere=0, here=1")
        assert (done.returncode, done.stdout) == (-signal.SIGKILL, "")
    noted = (tmp_path / "log").read_text().splitlines()
    assert [line.split()[0] for line in noted] == ["here", "here"]


@pytest.mark.parametrize("points", ["", "elsewhere=1", "here=0"])
def test_any_other_point_is_passed(points: str, tmp_path: Path) -> None:
    done = run(tmp_path, CRASH_POINTS=points)
    assert (done.returncode, done.stdout, done.stderr) == (0, "passed\n", "")
    assert not (tmp_path / "log").exists()


def test_a_trap_kills_who_passes_first_and_nobody_else(tmp_path: Path) -> None:
    traps = tmp_path / "traps"
    traps.mkdir()
    for name in ("here", "elsewhere"):
        (traps / name).touch()
    endings = [run(tmp_path, CRASH_TRAPS=str(traps)).returncode for _ in range(2)]
    assert endings == [-signal.SIGKILL, 0]
    assert [path.name for path in traps.iterdir()] == ["elsewhere"]
    assert len((tmp_path / "log").read_text().splitlines()) == 1


def test_a_chance_is_taken_about_as_often_as_it_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(crash, "SEED", "1")
    assert 150 < sum(crash._is_last(0.2) for _ in range(1000)) < 250


def test_no_point_is_armed_here() -> None:
    assert crash.POINTS == {}
    crash.crash_point("here")


def test_a_misspelled_list_is_noticed() -> None:
    assert crash.parse("a.b=0.5,c=1") == {"a.b": 0.5, "c": 1.0}
    with pytest.raises(ValueError, match="could not convert"):
        crash.parse("a.b")
