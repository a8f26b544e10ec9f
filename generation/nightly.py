"""Checks the books once a night, on whichever store worker is ticked first then.

It shares its process with files that customers wait for: 2 s for a million entries of the ledger,
in which other store workers go on. What is found is a row of BooksCheck, and an alert.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from credits import nightly
from credits.check import Result, check_ledger
from generation.check import check_generations

# Seconds that a run may take, and to end then: far above what it takes, and within the lease
LONGEST, GRACE = 3000, 60
# By the name of the command that does the same by hand, with how it is asked
Turn = Callable[[], bool]
CHECKS: dict[str, Callable[[Turn], Result]] = {
    "check_ledger": lambda turn: check_ledger(lambda *_: _go_on(turn)),
    "check_generations": lambda turn: check_generations(),
}


def check_books(turn: Turn) -> int:
    """How many checks it was the time for.

    ``turn`` is asked now and then, as the engine asks its stages: whether to end.
    """
    ran = 0
    for command, ask in CHECKS.items():
        if turn():
            break
        ran += nightly.check(command, partial(ask, turn))
    return ran


def _go_on(turn: Turn) -> None:
    if turn():
        raise nightly.Stopped
