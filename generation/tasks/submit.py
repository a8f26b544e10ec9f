"""The queue ``submit``."""

from __future__ import annotations

from generation.provider.buyers import buyers
from generation.stages.submit import SubmitStage
from work.process import run, wake
from work.queue import app


@app.task(name="generation.submit")
def submit() -> None:
    """Ask the provider for what is queued; look for what may have been bought."""
    run("submit", lambda: SubmitStage(buyers(), wake))
