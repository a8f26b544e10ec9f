"""The queue ``poll``."""

from __future__ import annotations

from generation.provider.readers import readers
from generation.stages.poll import PollStage
from work.process import run, wake
from work.queue import app


@app.task(name="generation.poll")
def poll() -> None:
    """Look at the operations that are due."""
    run("poll", lambda: PollStage(readers(), wake))
