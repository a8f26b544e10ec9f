"""The table of stages. A new one is a line here and a module of tasks.

A new queue also needs a worker: docker-compose.yml, ops/kubernetes/, dev/embedded/services.py.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class StageRow:
    """How one stage is run."""

    queue: str  # which worker takes its wake-ups
    seconds: float  # between two ticks of beat
    task: str
    module: str  # where the task is; a worker imports those of its own queues
    signs: bool = False  # whether its worker does not start without SECRET_KEY


def table(time_scale: float) -> dict[str, StageRow]:
    """Every stage by its name; what nobody waits for has time."""
    slow = max(60 * time_scale, 1.0)
    return {
        "prepare": StageRow("prepare", 1.0, "generation.prepare", "generation.tasks.prepare"),
        "submit": StageRow("submit", 1.0, "generation.submit", "generation.tasks.submit"),
        "poll": StageRow("poll", 1.0, "generation.poll", "generation.tasks.poll"),
        "store": StageRow("store", 1.0, "generation.store", "generation.tasks.store"),
        "settle": StageRow("settle", 1.0, "payments.settle", "payments.tasks"),
        "payments": StageRow("settle", slow, "payments.daily", "payments.tasks"),
        "mail": StageRow("mail", 1.0, "mail.send", "mail.tasks"),
        "old_mails": StageRow("mail", slow, "mail.prune", "mail.tasks"),
        "deliver": StageRow("deliver", 1.0, "webhooks.deliver", "webhooks.tasks", True),
        "sweep": StageRow("store", slow, "generation.sweep", "generation.tasks.store"),
        "retention": StageRow("store", slow, "generation.retention", "generation.tasks.store"),
        "models": StageRow("store", slow, "generation.models", "generation.tasks.store"),
        "books": StageRow("store", slow, "generation.books", "generation.tasks.store"),
    }
