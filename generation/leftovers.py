"""Files that killed workers left behind, on this host: removed, once nobody can be writing them.

Two kinds of names are ours: ``<generation>.<lease>`` in ``WORK_DIR`` (see ``delivery.py``) and
``.part-…`` below ``OUTPUT_ROOT`` (see ``storage.py``). Whatever has any other name stays, above all
finished outputs, and so does everything that was written to lately or whose lease still lives.
"""

from __future__ import annotations

import logging
import os
import re
import time
import uuid
from collections.abc import Iterable, Iterator
from pathlib import Path

from django.conf import settings
from django.db.models.functions import Now

from generation.models import Generation
from generation.storage import LEFTOVER_PREFIX

logger = logging.getLogger(__name__)

HOUR = 3600.0
UUID = "[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
WORK_NAME = re.compile(f"({UUID})\\.({UUID})")
PART_NAME = re.compile(re.escape(LEFTOVER_PREFIX) + "[0-9a-f]{16}")


def least_age() -> float:
    """Seconds without a write after which a file is a leftover: an hour, and more than a lease.

    This host's clock is good enough: what counts is that its own writers have stopped, and a file
    that is taken from a writer after all only makes that one fail and be tried again.
    """
    return max(HOUR * settings.TIME_SCALE, 2 * settings.LEASE)


class Leftovers:
    """The janitor of one process; it walks through all outputs once an hour at most."""

    def __init__(self) -> None:
        self._next_walk = 0.0

    def remove(self) -> int:
        """Remove what is old enough; how many files it was. Needs the database for the leases."""
        removed = sum(_remove(path) for path in _abandoned_work(Path(settings.WORK_DIR)))
        if settings.OUTPUT_STORAGE == "local" and time.monotonic() >= self._next_walk:
            self._next_walk = time.monotonic() + least_age()
            removed += sum(_remove(path) for path in _parts(Path(settings.OUTPUT_ROOT)))
        if removed:
            logger.info("removed %s files that killed workers had left", removed)
        return removed


def _abandoned_work(folder: Path) -> list[Path]:
    """Old work files, but for those of leases that still live."""
    old: dict[tuple[uuid.UUID, uuid.UUID], Path] = {}
    for path in _old_files(folder.iterdir() if folder.is_dir() else [], WORK_NAME):
        generation, _, lease = path.name.partition(".")
        old[uuid.UUID(generation), uuid.UUID(lease)] = path
    if not old:
        return []
    leased = Generation.objects.filter(
        pk__in=[generation for generation, _ in old], next_attempt_at__gt=Now()
    )
    live = set(leased.values_list("pk", "lease_token"))
    return [path for holder, path in old.items() if holder not in live]


def _parts(folder: Path) -> Iterator[Path]:
    """Old halves of outputs, wherever below ``folder``."""
    for parent, _, names in os.walk(folder):
        halves = [name for name in names if name.startswith(LEFTOVER_PREFIX)]
        yield from _old_files((Path(parent, name) for name in halves), PART_NAME)


def _old_files(paths: Iterable[Path], wanted: re.Pattern[str]) -> Iterator[Path]:
    for path in paths:
        if wanted.fullmatch(path.name) and _is_old(path):
            yield path


def _is_old(path: Path) -> bool:
    try:
        return path.lstat().st_mtime < time.time() - least_age()
    except FileNotFoundError:  # its writer has just finished
        return False


def _remove(path: Path) -> bool:
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        logger.warning("a leftover stays: %s", error)
        return False
    return True
