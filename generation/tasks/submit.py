"""The queue ``submit``."""

from __future__ import annotations

from config.celery import app
from generation.backends.vertex.backend import VertexBackend
from generation.stages.submit import SubmitStage
from generation.tasks.process import provider, run, wake


@app.task(name="generation.submit")
def submit() -> None:
    """Ask the provider for what is queued; look for what may have been bought."""
    run("submit", lambda: SubmitStage(provider(VertexBackend), wake))
