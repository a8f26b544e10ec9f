"""The queue ``store``: outputs into our storage; sweep, retention and others share its process."""

from __future__ import annotations

from functools import cache

from accounts import sessions
from events import retention as old_events
from generation.books import GRACE, LONGEST, check_books
from generation.inputs import prepared_images, upload_retention
from generation.outputs.leftovers import Leftovers
from generation.provider.readers import readers
from generation.stages.ended_tokens import delete_ended_tokens
from generation.stages.forget import let_forget
from generation.stages.probe import probe_models
from generation.stages.retention import let_expire
from generation.stages.store import StoreStage
from generation.stages.sweep import look_for_orphans
from work.heartbeat import beat
from work.process import counted, engine, is_stopping, run, task_of, wake
from work.queue import app
from work.wake import QUEUES

SWEEP_SECONDS = 5.0  # it shares its process with files that a customer waits for


@cache
def _leftovers() -> Leftovers:
    return Leftovers()


@app.task(name="generation.store")
def store() -> None:
    """Copy finished outputs into our storage."""
    run("store", lambda: StoreStage(readers(), wake))


@app.task(name="generation.sweep")
def sweep() -> None:
    """Remove what killed workers left on this host; look for outputs that nobody gets."""
    with task_of("sweep"):
        router, loop = readers(), engine().loop
        _leftovers().remove()
        prepared_images.remove_ended(SWEEP_SECONDS)
        counted("sweep", lambda: look_for_orphans(router, loop, SWEEP_SECONDS))
        counted("sweep", lambda: let_forget(router, loop, SWEEP_SECONDS))


@app.task(name="generation.retention")
def retention() -> None:
    """Let outputs, prompts, uploads, login tokens, sessions and events end."""
    with task_of("retention"):
        router, loop = readers(), engine().loop
        counted("retention", lambda: let_expire(router, loop, SWEEP_SECONDS))
        upload_retention.remove_ended(SWEEP_SECONDS)
        delete_ended_tokens()
        sessions.delete_ended()
        old_events.prune()


@app.task(name="generation.models")
def models() -> None:
    """Ask whether the providers still know the models on sale; every ten minutes, and at first."""
    with task_of("models"):
        router, loop = readers(), engine().loop
        counted("models", lambda: len(probe_models(router, loop)))


@app.task(name="generation.books", soft_time_limit=LONGEST, time_limit=LONGEST + GRACE)
def books() -> None:
    """Check the books, once a night."""
    with task_of("books"):
        counted("books", lambda: check_books(_turn))


def _turn() -> bool:
    """Give signs of life for the queues that wait meanwhile; return whether to end."""
    for stage, queue in QUEUES.items():
        if queue == "store":
            beat(stage)
    return is_stopping()
