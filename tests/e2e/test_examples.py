"""The example for Python; those for Node and a shell are tried in tests/system/browser."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from dev.embedded.paths import CHECKOUT
from dev.embedded.stack import Stack
from generation.outputs.playable import inspect_video
from tests.e2e.customer import Customer


@pytest.fixture
def environment(stack: Stack, rich: Customer) -> dict[str, str]:
    key = rich.http.headers["Authorization"].removeprefix("Bearer ")
    return os.environ | {"BASE_URL": stack.base_url, "API_KEY": key}


def run(folder: Path, environment: dict[str, str], prompt: str) -> subprocess.CompletedProcess[str]:
    argv = [sys.executable, str(CHECKOUT / "examples" / "make_video.py"), prompt, "made.mp4"]
    return subprocess.run(
        argv, cwd=folder, env=environment, capture_output=True, text=True, timeout=60
    )


def test_the_example_saves_a_video(tmp_path: Path, environment: dict[str, str]) -> None:
    done = run(tmp_path, environment, 'A "quoted" boat')
    assert (done.returncode, done.stderr) == (0, "")
    assert inspect_video(tmp_path / "made.mp4").duration_seconds > 7


def test_the_example_says_why_there_is_no_video(
    tmp_path: Path, environment: dict[str, str]
) -> None:
    failed = run(tmp_path, environment, "A storm [emulator:filtered=violence]")
    assert failed.returncode == 1
    assert "240 credits were paid back" in failed.stderr
    refused = run(tmp_path, environment | {"API_KEY": "rmk_wrong"}, "A boat")
    assert (refused.returncode, "401" in refused.stderr) == (1, True)
    assert list(tmp_path.iterdir()) == []
