"""Many threads at once, each with a database connection of its own, as in a real server."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import psycopg
from django.db import connection, connections

T = TypeVar("T")

# Instead of the role's 2 s for a lock and 5 s for a statement. Who wins must not depend on how long
# a busy machine takes until the last of them has its turn; a deadlock is found in any case.
PATIENCE = "SET lock_timeout = '60s'; SET statement_timeout = '60s'"


def race(calls: Sequence[Callable[[], T]], at_once: int = 20) -> list[T | BaseException]:
    """Run ``calls`` in waves of ``at_once`` that start together; what each returned or raised."""
    assert len(calls) % at_once == 0, "the last wave would wait for ever"
    start = threading.Barrier(at_once)

    def run(call: Callable[[], T]) -> T:
        try:
            with connection.cursor() as cursor:
                cursor.execute(PATIENCE)
            start.wait(30)
            return call()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(at_once) as pool:
        futures = [pool.submit(run, call) for call in calls]
    return [future.exception() or future.result() for future in futures]


def wait_until_blocked(observer: psycopg.Connection, query: str) -> None:
    """Return once some session waits for a lock in a statement like ``query``."""
    ends = time.monotonic() + 20  # for it to begin; from then on lock_timeout gives it 2 s
    statement = (
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
        " AND wait_event_type = 'Lock' AND query LIKE %s"
    )
    while observer.execute(statement, [f"%{query}%"]).fetchone() == (0,):
        assert time.monotonic() < ends, "it did not wait"
        time.sleep(0.01)
