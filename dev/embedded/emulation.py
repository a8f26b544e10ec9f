"""Starts the emulators and the receiver of webhooks, and points the product at them."""

from __future__ import annotations

import secrets
import sys
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import ClassVar

from dev.embedded.lifetime import Server
from dev.embedded.processes import Child, Program, wait_ready

# Nothing at Google has these names.
PROJECT = "reelmint-emulated"
BUCKET = "reelmint-emulated-outputs"
# Nor has Stripe this key.
STRIPE_KEY = "sk_test_emulated"


class StandIn(Server):
    """An emulator as a process of its own, on a port of its own choice."""

    program: ClassVar[str]
    module: ClassVar[str]

    def __init__(
        self,
        data_dir: Path,
        log: Path,
        environment: Mapping[str, str],
        arguments: Sequence[str],
    ) -> None:
        """``arguments`` are further ones of its command line."""
        self._ready_file = data_dir.with_name(f"{self.program}.url")
        super().__init__(data_dir, log, leaves=self._ready_file)
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
        argv = [sys.executable, "-m", self.module, "--host", "127.0.0.1"]
        argv += ["--port", str(self._port), "--ready-file", str(self._ready_file)]
        argv += [*self.own_arguments(), *self._arguments]
        self._child = Child(Program(self.program, argv), self._environment, self.log)
        return self._child

    def wait(self) -> None:
        wait_ready(self.child, lambda: self._ready_file.exists() and bool(self.url))
        self._port = int(self.url.rpartition(":")[2])

    @abstractmethod
    def own_arguments(self) -> list[str]:
        """What this kind of emulator is always told."""

    @abstractmethod
    def points_here(self) -> dict[str, str]:
        """The variables that make the product use it."""


class EmulatorServer(StandIn):
    """The emulator of the provider, Google."""

    name = "The emulator"
    program = "emulator"
    module = "dev.emulator"

    @property
    def _credentials(self) -> Path:
        return self.data_dir.with_name("emulator-credentials.json")

    def own_arguments(self) -> list[str]:
        return [
            *("--data-dir", str(self.data_dir)),
            *("--write-credentials", str(self._credentials)),
        ]

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


class StripeServer(StandIn):
    """The emulator of Stripe; it keeps nothing in its folder, and a restart forgets all."""

    name = "The emulator of Stripe"
    program = "stripe"
    module = "dev.stripe"

    def __init__(
        self,
        data_dir: Path,
        log: Path,
        environment: Mapping[str, str],
        arguments: Sequence[str],
        shop: str,
    ) -> None:
        """``shop`` is the address of the product, which hears of every event."""
        super().__init__(data_dir, log, environment, arguments)
        self._shop = shop
        self._secret = f"whsec_{secrets.token_hex(16)}"

    def own_arguments(self) -> list[str]:
        return [
            *("--secret-key", STRIPE_KEY),
            *("--webhook-url", f"{self._shop}/webhooks/stripe/"),
            *("--webhook-secret", self._secret),
        ]

    def points_here(self) -> dict[str, str]:
        return {
            "STRIPE_SECRET_KEY": STRIPE_KEY,
            "STRIPE_WEBHOOK_SECRETS": self._secret,
            "STRIPE_BASE_URL": self.url,
            "ALLOW_EMULATOR": "1",
        }


class ReceiverServer(StandIn):
    """The receiver of webhooks. It keeps its port from run to run: endpoints name it."""

    name = "The receiver"
    program = "receiver"
    module = "dev.receiver"

    @property
    def _port_file(self) -> Path:
        return self.data_dir / "port"

    @property
    def _journal(self) -> Path:
        return self.data_dir / "received.jsonl"

    def launch(self) -> Child:
        """A restart remembers what was received, a new run does not."""
        if not self._port:
            self._journal.unlink(missing_ok=True)
            if self._port_file.exists():
                self._port = int(self._port_file.read_text())
        return super().launch()

    def wait(self) -> None:
        super().wait()
        self._port_file.write_text(str(self._port))

    def own_arguments(self) -> list[str]:
        return ["--journal", str(self._journal)]

    def points_here(self) -> dict[str, str]:
        """Webhooks may go to this origin although it is on loopback."""
        return {"WEBHOOK_ALLOWED_ORIGINS": self.url}
