"""Named places where a test of ours may kill the process: no-ops unless they are armed.

``CRASH_POINTS="store.mid_write=0.02,submit.after_claim=0.01"`` gives the places and how likely each
passing is the last one. ``CRASH_TRAPS`` names a folder: a file in it with a place's name kills
whoever passes there next, and nobody else. The chaos driver (``python -m dev.chaos``) arms them;
nothing else should.
"""

from __future__ import annotations

import os
import random
import signal
from itertools import count
from pathlib import Path

# Where each death is noted as one line, so that a run can tell which places it has tried.
LOG = os.environ.get("CRASH_LOG", "")
SEED = os.environ.get("CRASH_SEED", "")
TRAPS = os.environ.get("CRASH_TRAPS", "")
_passings = count()


def parse(points: str) -> dict[str, float]:
    """Names and probabilities (0 to 1). Raises ValueError for anything else."""
    pairs = (item.partition("=") for item in points.split(",") if item.strip())
    return {name.strip(): float(chance) for name, _, chance in pairs}


POINTS = parse(os.environ.get("CRASH_POINTS", ""))


def crash_point(name: str) -> None:
    """Die here by SIGKILL, as likely as the environment says; as a rule, do nothing."""
    if (POINTS and _is_last(POINTS.get(name, 0.0))) or (TRAPS and _is_trap(name)):
        if LOG:
            _log_death(name)
        os.kill(os.getpid(), signal.SIGKILL)


def _is_last(chance: float) -> bool:
    # Not one generator for all: a process that is forked again would draw the same numbers again.
    draw = random.Random(f"{SEED}:{os.getpid()}:{next(_passings)}")  # noqa: S311 - not a secret
    return draw.random() < chance


def _is_trap(name: str) -> bool:
    try:
        Path(TRAPS, name).unlink()  # of several that pass at once, one removes it
    except FileNotFoundError:
        return False
    return True


def _log_death(name: str) -> None:
    # One write in append mode stays whole, however many processes write.
    descriptor = os.open(Path(LOG), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    os.write(descriptor, f"{name} {os.getpid()}\n".encode())
    os.close(descriptor)
