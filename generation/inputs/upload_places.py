"""Which upload is decoded next: one of an account at a time, and then others have their turn.

The places belong to the host, and all its processes share them. They are locks on files, so a
process that dies frees its own.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from django.conf import settings

from common.errors import ServiceUnavailable

PLACE_SECONDS = 10.0  # of waiting for a place
LOOK_SECONDS = 0.05  # between two looks for one
# An account that had a place leaves it alone for so long: everybody else has looked by then.
AFTER_YOU = 3 * LOOK_SECONDS
TURNS = 64  # accounts share that many files; two in the same one wait for each other


@contextlib.contextmanager
def place(account_id: uuid.UUID) -> Iterator[None]:
    """One of the host's places for decoding. Raises ServiceUnavailable when none is free in time.

    An account that sends twenty images at once waits for each of them; another one waits for one
    at most.
    """
    ends = time.monotonic() + PLACE_SECONDS
    mine = f"{account_id.int % TURNS:02}"
    with contextlib.ExitStack() as stack:
        turn = _opened(stack, f"upload-turn.{mine}")
        places = [
            _opened(stack, f"upload-decode.{number}") for number in range(settings.UPLOAD_DECODES)
        ]
        while not _take(turn):
            _wait_until(ends)
        while (taken := _first_free(places, mine)) is None:
            _wait_until(ends)
        try:
            yield
        finally:
            # read by the next ones, with the time at which it was written
            os.pwrite(taken.fileno(), mine.encode(), 0)


def _first_free(places: list[IO[bytes]], mine: str) -> IO[bytes] | None:
    for file in places:
        if not _was_just(mine, file) and _take(file):
            return file
    return None


def _was_just(mine: str, file: IO[bytes]) -> bool:
    since = time.time() - os.fstat(file.fileno()).st_mtime
    return 0 <= since < AFTER_YOU and os.pread(file.fileno(), len(mine), 0) == mine.encode()


def _opened(stack: contextlib.ExitStack, name: str) -> IO[bytes]:
    path = Path(settings.WORK_DIR) / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()
    return stack.enter_context(path.open("r+b", buffering=0))


def _wait_until(ends: float) -> None:
    if time.monotonic() > ends:
        raise ServiceUnavailable(retry_after=5)
    time.sleep(LOOK_SECONDS)


def _take(file: IO[bytes]) -> bool:
    """Lock the file; False if somebody else has it."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
