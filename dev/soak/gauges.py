"""Reads the gauges: processes, PostgreSQL, Redis."""

from __future__ import annotations

import contextlib
import threading
import time
from collections import Counter
from collections.abc import Iterator

import psutil
import psycopg
import redis

from dev.embedded import StackError
from dev.embedded.processes import wait_until
from dev.embedded.services import STAGES, WEB_PROCESSES
from dev.embedded.stack import Stack

MB = 1024 * 1024
OURS = ("web", *STAGES, "beat")
FORKED = {"web": WEB_PROCESSES, **dict.fromkeys(STAGES, 1)}  # processes that do the work
START_SECONDS = 60.0
SETTLED_SECONDS = 2.0
# Web waits 50 ms for Redis (common/web/rate_limit.py): Redis is held for less, then let go.
HELD_MS, FREE_MS = 30, 20
QUESTIONS = """
SELECT (SELECT count(*) FROM pg_stat_activity WHERE usename = 'reelmint_app'),
       (SELECT count(*) FROM generation_generation WHERE next_attempt_at IS NOT NULL),
       (SELECT pg_relation_size('generation_due')) / 1024.0,
       (SELECT coalesce(sum(n_dead_tup), 0) FROM pg_stat_user_tables)
"""
ANSWERS = ("postgres connections", "generations open", "generation_due kb", "postgres dead_rows")

Sample = dict[str, float]


class Gauges:
    """``read`` takes a sample of everything; close it at the end."""

    def __init__(self, stack: Stack) -> None:
        self._stack = stack
        self._database = psycopg.connect(stack.owner_url, autocommit=True)
        self._redis = redis.Redis.from_url(stack.env["REDIS_URL"])
        # Children that decode a source image live for a moment, so nothing can grow in them.
        self._families = {
            name: family_of(stack.processes.children[name].pid, FORKED.get(name, 0))
            for name in (*OURS, "emulator", "valkey")
        }

    def close(self) -> None:
        self._database.close()
        self._redis.close()

    def read(self) -> Sample:
        """One value of each series. psutil.NoSuchProcess when one of ours has died."""
        sample: Sample = {}
        for name, family in self._families.items():
            # the emulator stands in for Google and keeps what it made; it is shown, not judged
            kind = "" if name in OURS else "other_"
            rss = sum(process.memory_info().rss for process in family)
            uss = sum(process.memory_full_info().uss for process in family)
            sample |= {f"{name} {kind}rss_mb": rss / MB, f"{name} uss_mb": uss / MB}
            if name in OURS:
                sample[f"{name} fds"] = sum(process.num_fds() for process in family)
                sample[f"{name} threads"] = sum(process.num_threads() for process in family)
        return sample | self._servers()

    def pools(self) -> tuple[float, float]:
        """What grows until the pools are full: web's threads, and Redis's clients."""
        sample = self.read()
        return sample["web threads"], sample["redis clients"]

    @contextlib.contextmanager
    def slow_redis(self) -> Iterator[None]:
        """Redis stops for moments, so that all threads that ask it need a connection at once."""
        over = threading.Event()

        def hold() -> None:
            while not over.wait((HELD_MS + FREE_MS) / 1000):
                self._redis.client_pause(HELD_MS)

        thread = threading.Thread(target=hold, name="slow-redis")
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()

    def states(self) -> dict[str, int]:
        """How many generations are in each state."""
        query = "SELECT state, count(*) FROM generation_generation GROUP BY state"
        return dict(Counter({str(state): n for state, n in self._database.execute(query)}))

    def _servers(self) -> Sample:
        [row] = self._database.execute(QUESTIONS).fetchall()
        memory = self._redis.info("memory")["used_memory"]
        return {name: float(value) for name, value in zip(ANSWERS, row, strict=True)} | {
            "redis keys": float(self._redis.dbsize()),
            "redis_kb": memory / 1024,
            "redis clients": float(self._redis.info("clients")["connected_clients"]),
        }


def family_of(pid: int, forked: int) -> list[psutil.Process]:
    """A program and the processes that it forks at its start, which stay."""
    leader = psutil.Process(pid)
    if not wait_until(lambda: len(_settled(leader)) == forked, START_SECONDS):
        raise StackError(f"process {pid} has {len(leader.children())} children, not {forked}")
    return [leader, *_settled(leader)]


def _settled(leader: psutil.Process) -> list[psutil.Process]:
    """The children of some age. A library may run a program for a moment when it is loaded."""
    latest = time.time() - SETTLED_SECONDS
    return [child for child in leader.children() if child.create_time() < latest]
