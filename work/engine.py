"""Works a stage's due rows: claims a batch, waits for the network concurrently, writes back.

One event loop a process, made after the fork. The clients of that loop end with it. ``run.py`` is
one run of a stage.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from work.run import Run
from work.stage import R, Stage


class Engine:
    """Runs stages on this process's loop."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()

    def run(
        self,
        stage: Stage[R],
        seconds: float,
        stopping: Callable[[], bool] = lambda: False,
        cut_off: type[BaseException] = KeyboardInterrupt,
    ) -> int:
        """Claim for up to ``seconds``, refilling free slots, then wait for what is under way.

        Nothing more is claimed once ``stopping`` says so; it is asked in every turn, to the end.
        Returns how many rows were worked on; ends at once when nothing is due, or when PostgreSQL
        is away and nothing is held.

        ``cut_off`` is what may be raised anywhere in it when its time is over. It is no fault of
        the row that it meets: like every other end before the end, it leaves no row behind.
        """
        work = Run(self.loop, stage, cut_off)
        try:
            return work.go(seconds, stopping)
        finally:
            work.settle()

    def close(self) -> None:
        """End the loop; the process is about to go."""
        self.loop.close()
