"""The folder of a run: data and logs, kept only when somebody will want to read them."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path


@dataclass(slots=True)
class RunFolder:
    """``is_kept`` is set to False by a run that found nothing wrong."""

    path: Path
    is_kept: bool = True


@contextmanager
def run_folder(name: str) -> Iterator[RunFolder]:
    """A new one, removed at the end unless it is kept; a run that breaks off keeps it."""
    folder = RunFolder(Path(tempfile.mkdtemp(prefix=f"reelmint-{name}-")))
    try:
        yield folder
    finally:
        if folder.is_kept:
            print(f"The logs are in {folder.path}", flush=True)
        else:
            shutil.rmtree(folder.path)
