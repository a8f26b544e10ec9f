"""What a worker does before it takes its first message."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from config.celery import import_tasks


def worker_of(*queues: str) -> Any:
    """As Celery hands it over."""
    return SimpleNamespace(
        app=SimpleNamespace(amqp=SimpleNamespace(queues=SimpleNamespace(consume_from=queues)))
    )


def test_who_signs_does_not_start_without_a_key(settings: Any) -> None:
    import_tasks(worker_of("deliver", "mail"))
    settings.SECRET_KEY = ""
    import_tasks(worker_of("mail"))
    with pytest.raises(SystemExit, match="deliver is not worked: SECRET_KEY is not set"):
        import_tasks(worker_of("mail", "deliver"))


def test_a_queue_that_nobody_works_is_a_mistake() -> None:
    with pytest.raises(SystemExit, match="no tasks for the queue nothing"):
        import_tasks(worker_of("nothing"))
