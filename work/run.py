"""One run of a stage on an event loop; the database is only touched between two turns of it.

While PostgreSQL is away an answer, which was paid for, is kept and written again until the row's
lease would be over. A run that is cut off writes back what is done and hands back the rest
(decision 38).
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import deque
from collections.abc import Callable
from typing import Any, Generic

from django.conf import settings
from structlog.contextvars import bound_contextvars

from common.surviving import surviving
from common.telemetry import tracing
from work import metrics
from work.stage import DATABASE_ERRORS, R, Stage
from work.unwritten import Unwritten, brief, is_away

logger = logging.getLogger(__name__)

TURN = 0.1  # seconds between two looks for newly due rows while calls are under way
MAX_TRIES = 3  # of one write-back that fails although PostgreSQL answers: a deadlock, a time-out

NOT_STARTED = object()  # instead of an outcome: the row is yet to be started


class Run(Generic[R]):
    """Made by Engine.run(): go() until nothing is left to do, then settle(), however it ended."""

    def __init__(
        self, loop: asyncio.AbstractEventLoop, stage: Stage[R], cut_off: type[BaseException]
    ) -> None:
        self._loop = loop
        self._stage = stage
        self._cut_off = cut_off
        self._held: dict[Any, R] = {}  # claimed, and not written back yet
        self._running: dict[asyncio.Task[Any], R] = {}
        self._done: deque[Unwritten[R]] = deque()  # to be written back in this turn
        self._unwritten: list[Unwritten[R]] = []  # what failed at the database
        self._traces: dict[Any, str] = {}
        self._claimed = 0
        self._next_claim = 0.0
        self._nothing_due = False

    def go(self, seconds: float, stopping: Callable[[], bool]) -> int:
        """Claim and work; how many rows it was."""
        ends = time.monotonic() + seconds
        claiming = True  # once at least, however short the time
        while True:
            if claiming:
                self._refill()
            if not self._running and not self._unwritten and (self._nothing_due or not claiming):
                return self._claimed
            self._wait()
            self._write_back()
            more = self._stage.keeps_claiming if self._running else 0.0
            claiming = not stopping() and time.monotonic() < ends + more
            if self._stage.keeps_claiming and not claiming:
                return self._claimed  # the rest is handed back

    def settle(self) -> None:
        """End what a run that was cut off has left: write back what is done, hand back the rest.

        Nothing stays on the loop. What PostgreSQL does not take is left to the leases after all.
        """
        if not self._held:
            return
        is_away()  # a statement that was cut off may have left a broken connection
        try:
            self._finish_what_is_done()
        finally:
            for task in self._running:
                task.cancel()
            if self._running:
                self._loop.run_until_complete(asyncio.wait(self._running))
            self._hand_back()

    def _hand_back(self) -> None:
        try:
            self._stage.hand_back(list(self._held.values()))
        except DATABASE_ERRORS as error:
            logger.warning("%d rows left to their leases: %s", len(self._held), brief(error))

    def _finish_what_is_done(self) -> None:
        """Write back what is done, and what comes while the stage has patience."""
        ends = time.monotonic() + self._stage.patience
        while self._running or self._done or self._unwritten:
            with surviving(lambda error: logger.warning("not written back: %s", brief(error))):
                self._wait()
                self._write_back()
            if time.monotonic() >= ends:
                return

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
            logger.warning("no rows claimed: %s", brief(error))
            rows = []
        metrics.CLAIMED_ROWS.labels(self._stage.name).observe(len(rows))
        self._nothing_due = not rows
        if len(rows) < free:
            self._next_claim = now + TURN
        self._claimed += len(rows)
        self._traces |= self._stage.traces(rows)
        self._held |= {row.pk: row for row in rows}
        for row in rows:
            self._step(Unwritten(row, NOT_STARTED))
            if self._stage.gap:
                self._loop.run_until_complete(asyncio.sleep(self._stage.gap))

    def _wait(self) -> None:
        """Let the loop run for up to a turn, and take what is done."""
        if not self._running:
            self._loop.run_until_complete(asyncio.sleep(TURN))
            return
        until = asyncio.ALL_COMPLETED if self._stage.gathers else asyncio.FIRST_COMPLETED
        done, _ = self._loop.run_until_complete(
            asyncio.wait(self._running, timeout=TURN, return_when=until)
        )
        for task in done:
            # kept before the task is dropped: an answer written twice is better than one lost
            outcome = task.exception() or task.result()
            self._done.append(Unwritten(self._running[task], outcome))
            del self._running[task]

    def _write_back(self) -> None:
        """Write back together what can be, and the rest one by one; what has waited comes first."""
        if self._unwritten and is_away():
            self._unwritten = [*self._keep(self._unwritten), *self._done]
            self._done.clear()
            return
        try:
            self._write_together()
        except DATABASE_ERRORS as error:
            logger.warning("%d answers not written back yet: %s", len(self._done), brief(error))
            self._unwritten += self._done
            self._done.clear()
            return
        self._done.extendleft(reversed(self._unwritten))
        self._unwritten.clear()
        cut_off: BaseException | None = None
        while self._done:
            if isinstance(self._done[0].outcome, self._cut_off):
                cut_off = self._done[0].outcome
            else:
                self._step(self._done[0])
            self._done.popleft()
        if cut_off is not None:
            raise cut_off

    def _write_together(self) -> None:
        rest = self._stage.together([(entry.row, entry.outcome) for entry in self._done])
        left = {row.pk for row, _ in rest}
        for entry in list(self._done):
            if entry.row.pk not in left:
                self._held.pop(entry.row.pk, None)
                self._done.remove(entry)

    def _keep(self, entries: list[Unwritten[R]]) -> list[Unwritten[R]]:
        """Those whose lease may still be ours."""
        oldest = time.monotonic() - settings.LEASE
        kept = [entry for entry in entries if entry.since > oldest]
        if len(kept) < len(entries):
            for entry in entries:
                if entry not in kept:
                    self._held.pop(entry.row.pk, None)
            metrics.LOST_ANSWERS.inc(len(entries) - len(kept))
            logger.error("%d answers lost: PostgreSQL was away", len(entries) - len(kept))
        return kept

    def _step(self, entry: Unwritten[R]) -> None:
        """A step in which log lines and spans are of the row, as in what it waits for."""
        row_id = {f"{self._stage.noun}_id": str(entry.row.pk)}
        with bound_contextvars(**row_id), tracing.within(self._traces.get(entry.row.pk)):
            self._go_on(entry)

    def _go_on(self, entry: Unwritten[R]) -> None:
        """Start a row or finish its step. What fails at the database is kept."""
        row = entry.row
        with surviving(lambda error: self._failed(entry, error)):
            if entry.outcome is NOT_STARTED:
                step = self._stage.start(row)
            else:
                step = self._stage.finish(row, entry.outcome)
            if step is not None:
                self._running[self._loop.create_task(step)] = row
            else:
                self._held.pop(row.pk, None)

    def _failed(self, entry: Unwritten[R], error: Exception) -> None:
        if isinstance(error, DATABASE_ERRORS):
            self._not_written(entry, error)
        elif isinstance(error, self._cut_off):
            raise error
        else:
            noun = self._stage.noun
            logger.error("%s %s failed in our own code", noun, entry.row.pk, exc_info=error)
            self._drop(entry.row, error)

    def _not_written(self, entry: Unwritten[R], error: Exception) -> None:
        noun = self._stage.noun
        logger.warning("%s %s not written back yet: %s", noun, entry.row.pk, brief(error))
        entry.tries += not is_away()
        if entry.tries < MAX_TRIES:
            self._unwritten.append(entry)
        else:  # the database is well and refuses this row
            self._drop(entry.row, error)

    def _drop(self, row: R, error: Exception) -> None:
        self._held.pop(row.pk, None)  # it was the cause: its lease and its strike stay
        metrics.STAGE_ERRORS.inc()
        try:
            self._stage.drop(row, error)
        except DATABASE_ERRORS as second:  # only a note; the lease brings the row back
            noun = self._stage.noun
            logger.warning("%s %s: nothing noted: %s", noun, row.pk, brief(second))
