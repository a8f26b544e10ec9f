"""What goes wrong, and when: one thing about every half second, drawn from a seed."""

from __future__ import annotations

import contextlib
import random
import signal
import time
from collections import Counter
from collections.abc import Callable

import psutil
import redis

from chaos.fleet import WEBS, WORKERS, Fleet

INTERVAL = 0.38  # seconds between two faults, on average
DATABASE_UP = 12.0  # seconds at least between two of its deaths; it takes some to come back
STOPPED = (2.0, 8.0)  # seconds; a lease lasts 5, so some come back after theirs


class Faults:
    """Call ``play`` often; ``tally`` has what was done."""

    def __init__(self, fleet: Fleet, seed: int) -> None:
        self.tally: Counter[str] = Counter()
        self._fleet = fleet
        self._chance = random.Random(seed)  # noqa: S311 - not a secret
        self._next = time.monotonic()
        self._database_may_die = self._next + DATABASE_UP / 2
        self._stopped: list[tuple[float, psutil.Process]] = []
        # what, and how often in a hundred. A program takes seconds of CPU to start, one of its
        # forked processes nothing: so these die most.
        self._kinds: dict[Callable[[], str | None], float] = {
            self._kill_web: 52,
            self._kill_worker: 30,
            self._kill_program: 3,
            self._stop_worker: 4,
            self._kill_backend: 1.5,
            self._stop_postgres: 1.5,
            self._kill_valkey: 1.3,
            self._flush_valkey: 6,
            self._stop_valkey: 1,
            self._stop_beat: 0.5,
        }

    def play(self) -> None:
        """Do what is due, and let those go on that were stopped long enough."""
        now = time.monotonic()
        self._go_on(now)
        if now < self._next:
            return
        self._next = now + self._chance.uniform(0, 2 * INTERVAL)
        kinds, shares = list(self._kinds), list(self._kinds.values())
        with contextlib.suppress(psutil.NoSuchProcess, redis.RedisError):
            done = self._chance.choices(kinds, shares)[0]()
            if done is not None:
                self.tally[done] += 1

    def end(self) -> None:
        """Let everything go on that was stopped."""
        self._go_on(float("inf"))

    def _go_on(self, now: float) -> None:
        for entry in [entry for entry in self._stopped if entry[0] <= now]:
            self._stopped.remove(entry)
            with contextlib.suppress(psutil.NoSuchProcess):
                entry[1].resume()

    def _kill_web(self) -> str | None:
        return self._kill(self._fleet.forked(self._chance.choice(WEBS)), "kill -9 web")

    def _kill_worker(self) -> str | None:
        return self._kill(self._fleet.forked(self._chance.choice(WORKERS)), "kill -9 worker")

    def _kill(self, processes: list[psutil.Process], what: str) -> str | None:
        if not processes:
            return None
        self._chance.choice(processes).kill()
        return what

    def _kill_program(self) -> str:
        name = self._chance.choice([*WEBS, *WORKERS, "beat", "beat"])
        self._signal(name, signal.SIGKILL)
        return "kill -9 beat" if name == "beat" else "kill -9 whole program"

    def _stop_worker(self) -> str | None:
        processes = self._fleet.forked(*WORKERS)
        return self._stop(processes, "SIGSTOP worker")

    def _stop(self, processes: list[psutil.Process], what: str) -> str | None:
        held = [process for _, process in self._stopped]
        free = [process for process in processes if process not in held]
        if not free:
            return None
        process = self._chance.choice(free)
        process.suspend()
        self._stopped.append((time.monotonic() + self._chance.uniform(*STOPPED), process))
        return what

    def _stop_valkey(self) -> str | None:
        return self._stop([self._program("valkey")], "SIGSTOP valkey")

    def _stop_beat(self) -> str | None:
        return self._stop([self._program("beat")], "SIGSTOP beat")

    def _kill_backend(self) -> str | None:
        if not self._database_dies():
            return None
        sessions = [
            process
            for process in self._fleet.forked("postgres")
            if "reelmint_app" in " ".join(process.cmdline())
        ]
        return self._kill(sessions, "kill -9 postgres session")

    def _stop_postgres(self) -> str | None:
        if not self._database_dies():
            return None
        self._signal("postgres", signal.SIGQUIT)  # its "immediate" shutdown
        return "postgres immediate stop"

    def _database_dies(self) -> bool:
        now = time.monotonic()
        if now < self._database_may_die:
            return False
        self._database_may_die = now + DATABASE_UP
        return True

    def _kill_valkey(self) -> str:
        self._signal("valkey", signal.SIGKILL)
        return "kill -9 valkey"

    def _flush_valkey(self) -> str:
        url = self._fleet.stack.env["REDIS_URL"]
        with redis.Redis.from_url(url, socket_timeout=0.5) as client:
            client.flushall()
        return "FLUSHALL"

    def _signal(self, name: str, number: signal.Signals) -> None:
        child = self._fleet.stack.processes.children[name]
        if child.exit_code is None:
            child.signal(number)

    def _program(self, name: str) -> psutil.Process:
        return psutil.Process(self._fleet.stack.processes.children[name].pid)
