"""The environment variables that the programs of a stack get (config/settings.py reads them)."""

from __future__ import annotations

import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from dev.embedded.leftovers import MARKER


@dataclass(frozen=True)
class Options:
    """What a stack consists of and how it behaves; every default suits a test."""

    port: int = 0  # the web's; 0 = any free one
    services: bool = True  # web, workers, beat and the migrations they need
    waiter: bool = False  # who holds requests and streams, on the port after the web's
    one_worker: bool = False  # one for all stages, beat included: starts much sooner
    emulator: bool = True  # False = the environment says which provider
    stripe: bool = False  # Stripe's emulator, for services; False = the environment says
    receiver: bool = False  # of webhooks; False = the environment says which origins are allowed
    durable: bool = False  # fsync and an append-only file
    postgres_settings: Mapping[str, str] = field(default_factory=dict)  # of a server of our own
    time_scale: float = 1.0
    emulator_size: str = "small"  # or 720p
    emulator_plain: bool = False  # the same file for every prompt, for many generations
    emulator_replay: Path | None = None  # this MP4 for every video; nothing is rendered
    database_url: str | None = None  # None = a server of our own
    database_owner_url: str | None = None  # who migrates there; None = the same
    redis_url: str | None = None  # None = a server of our own
    environment: Mapping[str, str] = field(default_factory=dict)  # wins over all others

    def emulator_arguments(self) -> list[str]:
        """What is told to the emulator."""
        arguments = ["--size", self.emulator_size, "--time-scale", str(self.time_scale)]
        if self.emulator_replay is not None:
            return [*arguments, "--replay", str(self.emulator_replay.absolute())]
        return [*arguments, "--plain"] if self.emulator_plain else arguments


def wants_real_provider(environment: Mapping[str, str]) -> bool:
    """True when the variables name a Google project and a bucket, or another provider's URL."""
    google = environment.get("GOOGLE_CLOUD_PROJECT") and environment.get("OUTPUT_BUCKET")
    return bool(google or environment.get("VERTEX_BASE_URL"))


def wants_real_stripe(environment: Mapping[str, str]) -> bool:
    """True when a key of Stripe's is given, or when what is sold costs real money to make."""
    return bool(environment.get("STRIPE_SECRET_KEY")) or wants_real_provider(environment)


def base_environment(var_dir: Path, options: Options) -> dict[str, str]:
    """The caller's environment, completed with what is true of every stack on one machine."""
    ours = {
        MARKER: str(var_dir),
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "SECRET_KEY": os.environ.get("SECRET_KEY") or secret_key(var_dir),
        "HTTPS": os.environ.get("HTTPS", "0"),  # a loopback address has no certificate
        "OUTPUT_ROOT": os.environ.get("OUTPUT_ROOT") or str(var_dir / "outputs"),
        "WORK_DIR": os.environ.get("WORK_DIR") or str(var_dir / "work"),
        "METRICS_DIR": os.environ.get("METRICS_DIR") or str(var_dir / "metrics"),
        "TIME_SCALE": str(options.time_scale),
        "PYTHONUNBUFFERED": "1",
    }
    return dict(os.environ) | ours


def secret_key(var_dir: Path) -> str:
    """A random key, kept with the data: links and sessions survive a restart."""
    path = var_dir / "secret_key"
    try:
        return path.read_text()
    except FileNotFoundError:
        key = secrets.token_urlsafe(50)
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(key)
        return key
