"""Starts the provider's emulator and points the product at it."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from dev.embedded.lifetime import Server
from dev.embedded.processes import Child, Program, wait_ready

# Nothing at Google has these names.
PROJECT = "reelmint-emulated"
BUCKET = "reelmint-emulated-outputs"


class EmulatorServer(Server):
    """The emulator as a process of its own, on a port of its own choice."""

    name = "The emulator"

    def __init__(
        self,
        data_dir: Path,
        log: Path,
        environment: Mapping[str, str],
        arguments: Sequence[str],
    ) -> None:
        """``arguments`` are further ones of its command line."""
        self._ready_file = data_dir.with_name("emulator.url")
        super().__init__(data_dir, log, leaves=self._ready_file)
        self._credentials = data_dir.with_name("emulator-credentials.json")
        self._environment = environment
        self._arguments = arguments
        self._port = 0

    @property
    def url(self) -> str:
        """Its address, once wait() has returned."""
        return self._ready_file.read_text().strip()

    def launch(self) -> Child:
        """A restart takes the same port."""
        self._ready_file.unlink(missing_ok=True)
        self.data_dir.mkdir(parents=True, exist_ok=True)
        argv = [sys.executable, "-m", "dev.emulator"]
        argv += ["--host", "127.0.0.1", "--port", str(self._port)]
        argv += ["--data-dir", str(self.data_dir), "--ready-file", str(self._ready_file)]
        argv += ["--write-credentials", str(self._credentials)]
        argv += self._arguments
        self._child = Child(Program("emulator", argv), self._environment, self.log)
        return self._child

    def wait(self) -> None:
        wait_ready(self.child, lambda: self._ready_file.exists() and bool(self.url))
        self._port = int(self.url.rpartition(":")[2])

    def points_here(self) -> dict[str, str]:
        """Points the provider's client at it, and allows its sample images as source images."""
        return {
            "VERTEX_BASE_URL": self.url,
            "STORAGE_BASE_URL": self.url,
            "GOOGLE_CLOUD_PROJECT": PROJECT,
            "GOOGLE_CLOUD_LOCATION": "us-central1",
            "GOOGLE_APPLICATION_CREDENTIALS": str(self._credentials),
            "OUTPUT_BUCKET": BUCKET,
            "ALLOW_EMULATOR": "1",
            "SOURCE_IMAGE_ALLOWED_ORIGINS": self.url,
        }
