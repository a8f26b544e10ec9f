"""What goes wrong, and when: drawn from a seed, as fast as the product keeps up with."""

from __future__ import annotations

import contextlib
import random
import signal
import time
from collections import Counter
from collections.abc import Callable

import psutil
import redis

from dev.chaos.fleet import WEBS, WORKERS, Fleet, crash_points
from dev.chaos.witness import Fallen

INTERVAL = 0.1  # seconds between two faults, on average, when the machine is fast enough
TRAP, WEB = "trap", "kill -9 web"
BURST = 30  # events that may be spent later
# Events of generations between two faults at least, however slow it is. A web process that dies
# holds up nothing but its requests.
STEPS, WEB_STEPS = 5, 1
# Between two deaths of the database at least: seconds, and events of generations. It takes a while
# to come back, on a busy disk ten seconds, and is to be of use before it goes down again.
DATABASE_UP, DATABASE_STEPS = 12.0, 100
RECEIVER_UP = 4.0  # seconds, of which it takes one or two to start: it is to take something, too
STOPPED = (2.0, 14.0)  # seconds; a lease lasts 9, so some come back after theirs


class Faults:
    """Call ``play`` often; ``tally`` has the faults, ``fallen`` their victims."""

    def __init__(self, fleet: Fleet, seed: int, focus: str | None = None) -> None:
        """``focus`` names a stage: its worker dies more often then than any other."""
        self.tally: Counter[str] = Counter()
        self.fallen = Fallen()
        self._fleet = fleet
        self._focus = focus
        self._crash_points = crash_points(focus)
        self._chance = random.Random(seed)
        self._next = time.monotonic()
        self._next_step = 0
        self._steps = 0
        self._database_may_die = (self._next + DATABASE_UP / 2, DATABASE_STEPS)
        self._stopped: list[tuple[float, psutil.Process]] = []
        # what, and how often in a hundred. A program takes seconds of CPU to start, one of its
        # forked processes nothing: so these die most.
        self._kinds: dict[Callable[[], str | None], float] = {
            self._set_trap: 40,
            self._kill_web: 90,
            self._kill_worker: 16,
            self._kill_program: 2,
            self._stop_worker: 4,
            self._kill_backend: 1.5,
            self._stop_postgres: 1.5,
            self._kill_valkey: 1.3,
            self._flush_valkey: 4,
            self._stop_valkey: 1,
            self._stop_beat: 0.5,
            self._kill_receiver: 3,
        }
        if focus is not None:
            self._kinds |= {self._set_trap: 8, self._kill_web: 20, self._kill_focus: 10}
        if focus == "deliver":
            self._kinds[self._kill_receiver] = 12

    def play(self, steps: int) -> None:
        """Do what is due, and continue processes that were stopped long enough.

        ``steps`` is the number of events of all generations, see dev/chaos/pulse.py.
        """
        now, self._steps = time.monotonic(), steps
        self._go_on(now)
        if now < self._next or steps < self._next_step:
            return
        kinds, shares = list(self._kinds), list(self._kinds.values())
        with contextlib.suppress(psutil.NoSuchProcess, redis.RedisError):
            done = self._chance.choices(kinds, shares)[0]()
            if done is None:
                return  # impossible at the moment; another fault follows soon
            if done != TRAP:  # a trap counts when it is met
                self.tally[done] += 1
            self._next = now + self._chance.uniform(0, 2 * INTERVAL)
            # events come in bursts: the rest of one is spent afterwards
            cost = WEB_STEPS if done == WEB else STEPS
            self._next_step = max(self._next_step + cost, steps - BURST)

    def end(self) -> None:
        """Continue every stopped process, and remove all traps."""
        self._go_on(float("inf"))
        self._fleet.remove_traps()
        self.fallen.processes |= self._fleet.crashed()

    def _go_on(self, now: float) -> None:
        for entry in [entry for entry in self._stopped if entry[0] <= now]:
            self._stopped.remove(entry)
            with contextlib.suppress(psutil.NoSuchProcess):
                entry[1].resume()

    def _set_trap(self) -> str | None:
        """Set one at the least met crash point; None while each has one."""
        crashes, waiting = self._fleet.crashes(), self._fleet.traps()
        free = [name for name in self._crash_points if name not in waiting]
        if not free:
            return None
        least = min(crashes[name] for name in free)
        self._fleet.set_trap(self._chance.choice([n for n in free if crashes[n] == least]))
        return TRAP

    def _kill_web(self) -> str | None:
        return self._kill(self._fleet.forked(self._chance.choice(WEBS)), WEB)

    def _kill_worker(self) -> str | None:
        return self._kill(self._fleet.forked(self._chance.choice(WORKERS)), "kill -9 worker")

    def _kill_focus(self) -> str | None:
        return self._kill(self._fleet.forked(f"{self._focus}"), f"kill -9 {self._focus}")

    def _kill(self, processes: list[psutil.Process], what: str) -> str | None:
        if not processes:
            return None
        process = self._chance.choice(processes)
        self.fallen.processes.add(process.pid)
        process.kill()
        return what

    def _kill_program(self) -> str:
        name = self._chance.choice([*WEBS, *WORKERS, "beat", "beat", "operator", "waiter"])
        # what it forked ends with it
        self.fallen.processes |= {process.pid for process in self._fleet.forked(name)}
        self._signal(name, signal.SIGKILL)
        is_alone = name in ("beat", "operator", "waiter")
        return f"kill -9 {name}" if is_alone else "kill -9 whole program"

    def _stop_worker(self) -> str | None:
        processes = self._fleet.forked(*WORKERS)
        return self._stop(processes, "SIGSTOP worker")

    def _stop(self, processes: list[psutil.Process], what: str) -> str | None:
        held = [process for _, process in self._stopped]
        free = [process for process in processes if process not in held]
        if not free:
            return None
        process = self._chance.choice(free)
        self.fallen.processes.add(process.pid)
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
        now, steps = time.monotonic(), self._steps
        if now < self._database_may_die[0] or steps < self._database_may_die[1]:
            return False
        self._database_may_die = (now + DATABASE_UP, steps + DATABASE_STEPS)
        self.fallen.database_died()
        return True

    def _kill_valkey(self) -> str:
        self._signal("valkey", signal.SIGKILL)
        return "kill -9 valkey"

    def _kill_receiver(self) -> str | None:
        """Customers' own programs die, too, and forget nothing that they have noted."""
        if time.time() - self._program("receiver").create_time() < RECEIVER_UP:
            return None
        self._signal("receiver", signal.SIGKILL)
        return "kill -9 receiver"

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
