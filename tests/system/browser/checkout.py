"""``make run`` as a newcomer has it: a second checkout, in a folder of its own, and its output."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

from dev.embedded.paths import CHECKOUT
from dev.embedded.processes import wait_until
from tests.support.boot import SETTINGS

# What the tests' own servers put into the environment; a newcomer's has none of it.
OURS = {*SETTINGS, "DATABASE_URL", "REDIS_URL", "OUTPUT_ROOT", "WORK_DIR"}
NOT_COPIED = (".*", "var", "tests", "node_modules", "staticfiles", "__pycache__")
START_PATIENCE = 120.0  # seconds


class RunningCheckout:
    """A copy of the checkout in which ``python -m dev.embedded run`` is up."""

    def __init__(self, folder: Path) -> None:
        """Copy and start; returns when the greeting has been printed."""
        self.folder = folder / "checkout"
        shutil.copytree(CHECKOUT, self.folder, ignore=shutil.ignore_patterns(*NOT_COPIED))
        inherited = {name: value for name, value in os.environ.items() if name not in OURS}
        self.environment = inherited | {
            "PORT": "0",
            "TIME_SCALE": "0.03",
            "EMULATOR_SIZE": "small",
            "PYTHONUNBUFFERED": "1",
        }
        self._process = subprocess.Popen(
            [sys.executable, "-m", "dev.embedded", "run"],
            cwd=self.folder,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self._lines: list[str] = []
        self._reader = threading.Thread(target=self._read)
        self._reader.start()
        up = wait_until(lambda: self._process.poll() is not None or self._greeted(), START_PATIENCE)
        if not up or self._process.poll() is not None:
            self.stop()
            raise AssertionError(f"`run` did not come up:\n{self.output}")
        self.described: dict[str, Any] = json.loads((self.folder / "var/run.json").read_text())

    @property
    def output(self) -> str:
        """Everything printed so far."""
        return "".join(self._lines)

    @property
    def base_url(self) -> str:
        return str(self.described["base_url"])

    @property
    def key(self) -> str:
        """The demo account's."""
        return str(self.described["demo_key"])

    def manage(self, *arguments: str) -> str:
        """What a ``manage.py`` command typed in the checkout prints."""
        argv = [sys.executable, "manage.py", *arguments]
        done = subprocess.run(
            argv, cwd=self.folder, env=self.environment, capture_output=True, text=True, check=True
        )
        return done.stdout

    def stop(self) -> int:
        """End it by SIGTERM; the exit code."""
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
        code = self._process.wait(60)
        self._reader.join()
        return code

    def _greeted(self) -> bool:
        return "Ctrl-C ends everything" in self.output

    def _read(self) -> None:
        assert self._process.stdout is not None
        with self._process.stdout as stream:
            self._lines.extend(stream)
