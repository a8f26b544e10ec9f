"""A bar that says how far a command is, for a person who waits before a terminal."""

from __future__ import annotations

import sys
import time

WIDTH = 30  # characters


class Bar:
    """Draws itself on standard error; nothing is drawn into a file or a pipe."""

    def __init__(self, what: str) -> None:
        self._what = what
        self._began = time.monotonic()

    def __call__(self, done: int, of: int) -> None:
        """So many of so many are done."""
        if not sys.stderr.isatty():
            return
        share = done / of if of else 1.0
        rate = done / max(time.monotonic() - self._began, 0.001)
        bar = ("#" * round(WIDTH * share)).ljust(WIDTH, ".")
        line = f"\r[{bar}] {share:4.0%} of {of:,} {self._what}, {rate:,.0f} a second"
        print(line, end="\n" if done >= of else "", file=sys.stderr, flush=True)
