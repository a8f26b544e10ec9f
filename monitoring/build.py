"""The build that is running: versions of the product, of Python and of Django."""

from __future__ import annotations

import platform
import tomllib
from pathlib import Path

import django
from prometheus_client.core import GaugeMetricFamily

PROJECT = Path(__file__).resolve().parent.parent / "pyproject.toml"


def version() -> str:
    """The product's version, as pyproject.toml has it."""
    found: str = tomllib.loads(PROJECT.read_text())["project"]["version"]
    return found


BUILD = GaugeMetricFamily(
    "reelmint_build_info", "Always 1.", labels=["version", "python", "django"]
)
BUILD.add_metric([version(), platform.python_version(), django.get_version()], 1)
