"""The stages as Celery tasks: claim a batch, work it, end. Only workers import this."""

from __future__ import annotations

from functools import cache

from django.db import close_old_connections

from config.celery import app
from generation import provider, stages
from generation.engine import Engine
from generation.leftovers import Leftovers
from generation.stages.sweep import look_for_orphans
from generation.wake import taken, wake

SECONDS = 20.0  # how long one task goes on refilling its slots
SWEEP_SECONDS = 5.0  # a sweep shares its process with files that a customer waits for


@cache
def _engine() -> Engine:
    """This process's, made at its first task and therefore after the fork."""
    return Engine()


@cache
def _provider() -> provider.Provider:
    return provider.connect()


@cache
def _leftovers() -> Leftovers:
    return Leftovers()


def run(stage: type[stages.StageBase]) -> int:
    """Work a stage for up to 20 s; how many rows it was."""
    close_old_connections()
    return _engine().run(stage(_provider(), wake), SECONDS)


@app.task(name="generation.submit")
def submit() -> None:
    """Ask the provider for what is queued; look for what may have been bought."""
    taken("submit")
    run(stages.SubmitStage)


@app.task(name="generation.poll")
def poll() -> None:
    """Look at the operations that are due."""
    taken("poll")
    run(stages.PollStage)


@app.task(name="generation.store")
def store() -> None:
    """Copy finished outputs into our storage."""
    taken("store")
    run(stages.StoreStage)


@app.task(name="generation.sweep")
def sweep() -> None:
    """Remove what killed workers left on this host; look for outputs that nobody got."""
    taken("sweep")
    close_old_connections()
    _leftovers().remove()
    look_for_orphans(_provider().backend, _engine().loop, SWEEP_SECONDS)
