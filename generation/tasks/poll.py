"""The queue ``poll``."""

from __future__ import annotations

from config.celery import app
from generation.backends.vertex.reader import VertexReader
from generation.stages.poll import PollStage
from generation.tasks.process import provider, run, wake


@app.task(name="generation.poll")
def poll() -> None:
    """Look at the operations that are due."""
    run("poll", lambda: PollStage(provider(VertexReader), wake))
