"""Removes files that killed workers left on this host, once nobody can be writing them.

Ours are ``<generation>.<lease>`` in ``WORK_DIR``, and below ``OUTPUT_ROOT`` ``.part-…`` and outputs
of generations that ended without them. Any other name stays; so does what was written lately, whose
lease lives, or whose generation the database does not know: it may be an older copy.
"""

from __future__ import annotations

import logging
import os
import re
import time
import uuid
from collections.abc import Iterable, Iterator
from itertools import islice
from math import inf
from pathlib import Path

from django.conf import settings
from django.db.models.functions import Now

from generation.kinds import BY_EXTENSION
from generation.models import Generation
from generation.outputs.storage import LEFTOVER_PREFIX

logger = logging.getLogger(__name__)

HOUR = 3600.0
UUID = "[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
WORK_NAME = re.compile(f"({UUID})\\.({UUID})")
PART_NAME = re.compile(re.escape(LEFTOVER_PREFIX) + "[0-9a-f]{16}")
OUTPUT_NAME = re.compile(f"({UUID})\\.(?:{'|'.join(BY_EXTENSION)})")
BATCH = 500  # outputs that the database is asked about at once


def least_age() -> float:
    """Seconds without a write after which a file is a leftover: an hour, and more than a lease.

    This host's clock is good enough: what counts is that its own writers have stopped, and a file
    that is taken from a writer after all only makes that one fail and be tried again.
    """
    return max(HOUR * settings.TIME_SCALE, 2 * settings.LEASE)


class Leftovers:
    """The janitor of one process; it walks through all outputs once an hour at most.

    The first walk asks the database about every output, the others about what has been written
    since, or while the generations that were open then may have gone on.
    """

    def __init__(self) -> None:
        self._next_walk = 0.0
        self._asked_until = 0.0  # the time of writing, in seconds

    def remove(self) -> int:
        """Remove what is old enough; return how many files. Asks the database for the leases."""
        removed = sum(_remove(path) for path in _abandoned_work(Path(settings.WORK_DIR)))
        if settings.OUTPUT_STORAGE == "local" and time.monotonic() >= self._next_walk:
            self._next_walk = time.monotonic() + least_age()
            begun, root = time.time(), Path(settings.OUTPUT_ROOT)
            removed += sum(_remove(path) for path in _parts(root))
            removed += sum(_remove(path) for path in _unowned(root, self._asked_until))
            self._asked_until = begun - 2 * (least_age() + settings.DEADLINE)
        if removed:
            logger.info("removed %s files that killed workers had left", removed)
        return removed


def _abandoned_work(folder: Path) -> list[Path]:
    """Old work files but those whose lease still lives."""
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


def _unowned(folder: Path, written_after: float) -> Iterator[Path]:
    """Old outputs of generations that are over and name no such file."""
    paths = (Path(parent, name) for parent, _, names in os.walk(folder) for name in names)
    old = (path for path in _old_files(paths, OUTPUT_NAME) if _written(path) > written_after)
    while batch := {uuid.UUID(path.stem): path for path in islice(old, BATCH)}:
        over = Generation.objects.filter(pk__in=batch, finished_at__isnull=False)
        for pk, key in over.values_list("pk", "output_key"):
            if key != batch[pk].relative_to(folder).as_posix():
                yield batch[pk]


def _old_files(paths: Iterable[Path], wanted: re.Pattern[str]) -> Iterator[Path]:
    for path in paths:
        if wanted.fullmatch(path.name) and _is_old(path):
            yield path


def _is_old(path: Path) -> bool:
    return _written(path) < time.time() - least_age()


def _written(path: Path) -> float:
    """When the file was last written; infinite if its writer has finished and it is gone."""
    try:
        return path.lstat().st_mtime
    except FileNotFoundError:
        return inf


def _remove(path: Path) -> bool:
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        logger.warning("a leftover stays: %s", error)
        return False
    return True
