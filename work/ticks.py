"""Celery beat's clock."""

from __future__ import annotations

from typing import Any

from celery.beat import Scheduler

from work import heartbeat, metrics
from work.wake import INTERVALS, TASKS, publish


class TickScheduler(Scheduler):
    """Every stage at its interval, coalesced like any other wake-up.

    Two beats do no harm and none costs only the seconds until it is back. It keeps no file.
    """

    def setup_schedule(self) -> None:
        """Beat calls this once at its start."""
        entries: dict[str, Any] = {
            stage: {"task": TASKS[stage], "schedule": seconds}
            for stage, seconds in INTERVALS.items()
        }
        self.merge_inplace(entries)

    def apply_async(self, entry: Any, *_: Any, advance: bool = True, **__: Any) -> None:
        """Publish one tick and note when it was."""
        if advance:
            self.reserve(entry)
        publish(entry.name)
        metrics.TICKS.labels(entry.name).inc()
        heartbeat.beat(heartbeat.TICK)
