"""Works a stage's due rows: claims a batch, waits for the network concurrently, writes back.

One event loop and one provider client a process, made after the fork and kept for its life (the
client dies with the loop it was born in). The database is only ever touched between two turns of
the loop: Django's ORM is synchronous, and a network call inside a transaction cannot be written.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Coroutine
from typing import Any, Protocol

from generation.models import Generation

logger = logging.getLogger(__name__)

TURN = 0.25  # seconds between two looks for newly due rows while calls are under way
MAX_STRIKES = 5  # claims in a row that ended without a write-back

Step = Coroutine[Any, Any, Any]


class Stage(Protocol):
    """What the engine asks of a stage; all but the coroutines is synchronous."""

    concurrency: int

    def claim(self, limit: int) -> list[Generation]:
        """Lease up to ``limit`` due rows."""

    def start(self, generation: Generation) -> Step | None:
        """What to wait for; None when the row was dealt with at once."""

    def finish(self, generation: Generation, outcome: Any) -> Step | None:
        """Write back what a coroutine returned or raised; maybe go on with another one."""

    def drop(self, generation: Generation, error: BaseException) -> None:
        """Write back that our own code failed on this row."""


class Engine:
    """Runs stages on this process's loop."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()

    def run(self, stage: Stage, seconds: float) -> int:
        """Claim for up to ``seconds``, refilling free slots, then wait for what is under way.

        Returns how many rows were worked on; ends at once when nothing is due.
        """
        ends = time.monotonic() + seconds
        running: dict[asyncio.Task[Any], Generation] = {}
        worked = 0
        claiming = True  # once at least, however short the time
        while True:
            if claiming:
                for generation in stage.claim(stage.concurrency - len(running)):
                    worked += 1
                    self._step(stage, generation, running)
            if not running:
                return worked
            done, _ = self.loop.run_until_complete(
                asyncio.wait(running, timeout=TURN, return_when=asyncio.FIRST_COMPLETED)
            )
            for task in done:
                self._step(stage, running.pop(task), running, task)
            claiming = time.monotonic() < ends

    def close(self) -> None:
        """End the loop; the process is about to go."""
        self.loop.close()

    def _step(
        self,
        stage: Stage,
        generation: Generation,
        running: dict[asyncio.Task[Any], Generation],
        task: asyncio.Task[Any] | None = None,
    ) -> None:
        try:
            if task is None:
                step = stage.start(generation)
            else:
                step = stage.finish(generation, task.exception() or task.result())
        except Exception as error:
            logger.exception("generation %s failed in our own code", generation.pk)
            stage.drop(generation, error)
            return
        if step is not None:
            running[self.loop.create_task(step)] = generation
