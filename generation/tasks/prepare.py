"""The queue ``prepare``: the only one where customers' URLs are fetched and decoded."""

from __future__ import annotations

from functools import cache

from common.name_lookup import Lookups
from generation.provider.readers import readers
from generation.stages.prepare import PrepareStage
from work.process import SECONDS, run, wake
from work.queue import app

# A run goes on while anything is under way, and then hands it back.
LONGEST = int(SECONDS + PrepareStage.keeps_claiming)


@cache
def _lookups() -> Lookups:
    return Lookups()


@app.task(name="generation.prepare", soft_time_limit=LONGEST + 60, time_limit=LONGEST + 90)
def prepare() -> None:
    """Fetch and redraw the source images that are awaited."""
    run("prepare", lambda: PrepareStage(readers(), wake, _lookups()))
