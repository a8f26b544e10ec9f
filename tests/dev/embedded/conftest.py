"""Folders short enough for sockets, and what tells that nothing is left running."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture
def folder() -> Iterator[Path]:
    path = Path(tempfile.mkdtemp(prefix="reelmint-test-"))
    yield path
    shutil.rmtree(path)


def standing_in_environment(marker: str) -> list[str]:
    """The names of all processes whose environment or arguments mention ``marker``."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            text = (process / "environ").read_bytes() + (process / "cmdline").read_bytes()
            if marker.encode() in text:
                found.append((process / "comm").read_text().strip())
        except OSError:
            continue
    return found
