"""Works a stage's due rows: claims a batch, waits for the network concurrently, writes back.

One event loop and one provider client a process, made after the fork and kept for its life (the
client dies with the loop it was born in). The database is only ever touched between two turns of
the loop: Django's ORM is synchronous, and a network call inside a transaction cannot be written.

What was paid for is not thrown away because PostgreSQL is away: an answer that could not be written
back is kept and tried again until the row's lease would be over.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any, Protocol

from django.conf import settings
from django.db import InterfaceError, OperationalError, connection

from generation.models import Generation

logger = logging.getLogger(__name__)

TURN = 0.1  # seconds between two looks for newly due rows while calls are under way
MAX_STRIKES = 5  # claims in a row that ended without a write-back
MAX_TRIES = 3  # of one write-back that fails although PostgreSQL answers: a deadlock, a time-out

DATABASE_ERRORS = (OperationalError, InterfaceError)
NOT_STARTED = object()  # instead of an outcome: the row is yet to be started

Step = Coroutine[Any, Any, Any]
Done = tuple[Generation, Any]  # a row and what its coroutine returned or raised


class Stage(Protocol):
    """What the engine asks of a stage; all but the coroutines is synchronous."""

    concurrency: int
    gathers: bool  # whether answers are waited for up to a turn, to be written back together
    gap: float  # seconds the loop runs between two starts

    def claim(self, limit: int) -> list[Generation]:
        """Lease up to ``limit`` due rows."""

    def start(self, generation: Generation) -> Step | None:
        """What to wait for; None when the row was dealt with at once."""

    def together(self, done: list[Done]) -> list[Done]:
        """Write back in one statement what can be; returns the rest."""

    def finish(self, generation: Generation, outcome: Any) -> Step | None:
        """Write back what a coroutine returned or raised; maybe go on with another one."""

    def drop(self, generation: Generation, error: BaseException) -> None:
        """Write back that our own code failed on this row."""


class Engine:
    """Runs stages on this process's loop."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()

    def run(
        self, stage: Stage, seconds: float, stopping: Callable[[], bool] = lambda: False
    ) -> int:
        """Claim for up to ``seconds``, refilling free slots, then wait for what is under way.

        Nothing more is claimed once ``stopping`` says so; it is asked in every turn, to the end.
        Returns how many rows were worked on; ends at once when nothing is due, or when PostgreSQL
        is away and nothing is held.
        """
        work = _Work(self.loop, stage)
        try:
            return work.go(seconds, stopping)
        finally:
            work.abandon()

    def close(self) -> None:
        """End the loop; the process is about to go."""
        self.loop.close()


@dataclass(slots=True)
class _Unwritten:
    """A row whose next step failed at the database, and since when."""

    generation: Generation
    outcome: Any
    tries: int = 0
    since: float = field(default_factory=time.monotonic)


class _Work:
    """One run of a stage."""

    def __init__(self, loop: asyncio.AbstractEventLoop, stage: Stage) -> None:
        self._loop = loop
        self._stage = stage
        self._running: dict[asyncio.Task[Any], Generation] = {}
        self._unwritten: list[_Unwritten] = []
        self._claimed = 0
        self._next_claim = 0.0
        self._nothing_due = False

    def go(self, seconds: float, stopping: Callable[[], bool]) -> int:
        ends = time.monotonic() + seconds
        claiming = True  # once at least, however short the time
        while True:
            if claiming:
                self._refill()
            if not self._running and not self._unwritten and (self._nothing_due or not claiming):
                return self._claimed
            self._write_back(self._wait())
            claiming = not stopping() and time.monotonic() < ends

    def abandon(self) -> None:
        """Leave nothing on the loop that nobody would read; the leases bring the rows back."""
        for task in self._running:
            task.cancel()
        if self._running:
            self._loop.run_until_complete(asyncio.wait(self._running))

    def _refill(self) -> None:
        """Claim for the free slots, but not again at once when there was less than that.

        Rows come due one by one; claimed so, 10,000 operations in flight cost PostgreSQL 80 claims
        a second instead of 20.
        """
        free = self._stage.concurrency - len(self._running) - len(self._unwritten)
        now = time.monotonic()
        if free <= 0 or now < self._next_claim or self._unwritten:
            return
        try:
            rows = self._stage.claim(free)
        except DATABASE_ERRORS as error:
            logger.warning("no rows claimed: %s", _brief(error))
            rows = []
        self._nothing_due = not rows
        if len(rows) < free:
            self._next_claim = now + TURN
        self._claimed += len(rows)
        for generation in rows:
            self._step(_Unwritten(generation, NOT_STARTED))
            if self._stage.gap:
                self._loop.run_until_complete(asyncio.sleep(self._stage.gap))

    def _wait(self) -> list[Done]:
        """Let the loop run for up to a turn; what has come of it."""
        if not self._running:
            self._loop.run_until_complete(asyncio.sleep(TURN))
            return []
        until = asyncio.ALL_COMPLETED if self._stage.gathers else asyncio.FIRST_COMPLETED
        done, _ = self._loop.run_until_complete(
            asyncio.wait(self._running, timeout=TURN, return_when=until)
        )
        return [(self._running.pop(task), task.exception() or task.result()) for task in done]

    def _write_back(self, done: list[Done]) -> None:
        """All that can be at once, the rest one by one, behind what has waited for longer."""
        entries, self._unwritten = self._unwritten, []
        if entries and _is_away():
            self._unwritten = [*self._keep(entries), *(_Unwritten(*each) for each in done)]
            return
        try:
            done = self._stage.together(done)
        except DATABASE_ERRORS as error:
            logger.warning("%d answers not written back yet: %s", len(done), _brief(error))
            self._unwritten = [*entries, *(_Unwritten(*each) for each in done)]
            return
        for entry in [*entries, *(_Unwritten(*each) for each in done)]:
            self._step(entry)

    def _keep(self, entries: list[_Unwritten]) -> list[_Unwritten]:
        """Those whose lease may still be ours."""
        oldest = time.monotonic() - settings.LEASE
        kept = [entry for entry in entries if entry.since > oldest]
        if len(kept) < len(entries):
            logger.error("%d answers lost: PostgreSQL was away", len(entries) - len(kept))
        return kept

    def _step(self, entry: _Unwritten) -> None:
        """Start a row or finish its step. What fails at the database is kept."""
        generation = entry.generation
        try:
            if entry.outcome is NOT_STARTED:
                step = self._stage.start(generation)
            else:
                step = self._stage.finish(generation, entry.outcome)
        except DATABASE_ERRORS as error:
            self._not_written(entry, error)
            return
        except Exception as error:
            logger.exception("generation %s failed in our own code", generation.pk)
            self._drop(generation, error)
            return
        if step is not None:
            self._running[self._loop.create_task(step)] = generation

    def _not_written(self, entry: _Unwritten, error: Exception) -> None:
        logger.warning("generation %s not written back yet: %s", entry.generation.pk, _brief(error))
        entry.tries += not _is_away()
        if entry.tries < MAX_TRIES:
            self._unwritten.append(entry)
        else:  # the database is well and refuses this row
            self._drop(entry.generation, error)

    def _drop(self, generation: Generation, error: Exception) -> None:
        try:
            self._stage.drop(generation, error)
        except DATABASE_ERRORS as second:  # only a note; the lease brings the row back
            logger.warning("generation %s: nothing noted: %s", generation.pk, _brief(second))


def _is_away() -> bool:
    """Whether PostgreSQL does not answer; a broken connection is replaced."""
    connection.close_if_unusable_or_obsolete()
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DATABASE_ERRORS:
        return True
    return False


def _brief(error: Exception) -> str:
    """One line: what psycopg says may go on with hints and positions."""
    return f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}"
