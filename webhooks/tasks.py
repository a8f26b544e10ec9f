"""The queue ``deliver``: telling customers' receivers what has ended."""

from __future__ import annotations

from functools import cache

from common.name_lookup import Lookups
from webhooks.due import Queue
from webhooks.stage import KEEPS_CLAIMING, DeliverStage
from work.process import SECONDS, run
from work.queue import app

# A run goes on while anything is under way, and then waits for it.
LONGEST = int(SECONDS + KEEPS_CLAIMING * 1.2 + DeliverStage.patience)


@cache
def _queue() -> Queue:
    return Queue()


@cache
def _lookups() -> Lookups:
    return Lookups()


@app.task(name="webhooks.deliver", soft_time_limit=LONGEST + 30, time_limit=LONGEST + 60)
def deliver() -> None:
    """Send the deliveries that are due."""
    run("deliver", lambda: DeliverStage(_queue(), _lookups()))
