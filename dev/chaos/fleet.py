"""The processes under fire. Whatever dies is started again at once, as a supervisor would."""

from __future__ import annotations

import socket
import sys
from collections import Counter
from dataclasses import replace
from pathlib import Path

import psutil
import psycopg

from dev.chaos import TIME_SCALE, witness
from dev.chaos.stripe_page import StripePage
from dev.embedded import services
from dev.embedded.environment import Options
from dev.embedded.processes import Program
from dev.embedded.stack import Stack

WEBS = ("web", "web-2")
STAGES = services.STAGES
SPARES = ("spare-1", "spare-2")  # for all stages, so that each has three processes that race
WORKERS = (*STAGES, *SPARES)
MANY = "1000000000"
LIMITS = (
    *("RATE_LIMIT_CREATES", "RATE_LIMIT_READS", "RATE_LIMIT_ANONYMOUS", "MAX_OPEN_GENERATIONS"),
    *("RATE_LIMIT_REGISTRATIONS", "RATE_LIMIT_AUTH_FAILURES"),
    *("RATE_LIMIT_CHECKOUTS", "RATE_LIMIT_CHECKOUTS_ADDRESS"),
    *("PURCHASE_MAX_PER_DAY", "PURCHASE_MAX_PER_DAY_NEW"),
)
CRASH_POINTS = (
    *("api.before_statement", "api.after_commit"),
    *("prepare.after_claim", "prepare.before_save"),
    *("submit.after_claim", "submit.after_intent", "submit.accepted_before_save"),
    *("submit.after_save", "poll.after_claim", "poll.before_save"),
    *("store.mid_write", "store.after_put", "store.after_save"),
    *("sweep.after_claim", "sweep.before_save"),
    *("checkout.after_row", "checkout.after_answer", "webhook.after_commit"),
    *("settle.after_fetch", "settle.after_commit", "announce.before_commit"),
    *("deliver.after_claim", "deliver.after_answer"),
)


def crash_points(focus: str | None) -> tuple[str, ...]:
    """All of them, or those of one stage."""
    return tuple(name for name in CRASH_POINTS if focus in (None, name.partition(".")[0]))


# Django is set up before anything of the product is imported.
OPERATE = "import django; django.setup(); from dev.chaos.operators import main; main()"
# In dev/chaos/without_guard.py and without_row.py, and how likely each passing is the last.
CONTROL_POINTS = "control.refunded=0.2,control.told=0.2"


class Fleet:
    """Two web servers, eight workers, beat, an operator, PostgreSQL with fsync, Valkey, emulators.

    Use it from one thread that outlives it (dev/embedded/processes.py says why).
    """

    def __init__(self, folder: Path, seed: int, control: str | None) -> None:
        """``control`` names a module that removes a guard from the workers."""
        self.restarts: Counter[str] = Counter()
        self.outputs = folder / "outputs"
        self._crash_log = folder / "crashes"
        self._traps = folder / "traps"
        self._traps.mkdir()
        self._rest = folder / "rest"
        self._control = control
        environment = dict.fromkeys(LIMITS, MANY) | {
            "DJANGO_SETTINGS_MODULE": "dev.chaos.settings",
            "OUTPUT_ROOT": str(self.outputs),
            "WORK_DIR": str(folder / "work"),
            "CRASH_POINTS": CONTROL_POINTS if control else "",
            "CRASH_TRAPS": str(self._traps),
            "CRASH_LOG": str(self._crash_log),
            "CRASH_SEED": str(seed),
            "CHAOS_REST": str(self._rest),
        }
        options = Options(
            durable=True,
            time_scale=TIME_SCALE,
            emulator_plain=True,
            stripe=True,
            receiver=True,
            waiter=True,
            postgres_settings={"track_commit_timestamp": "on"},  # for dev/chaos/told.py
            environment=environment,
        )
        self.stack = Stack(folder / "var", options)
        self._second = services.listen(0)
        self.receiver_url = ""

    @property
    def base_urls(self) -> list[str]:
        return [self.stack.base_url, f"http://127.0.0.1:{_port(self._second)}"]

    @property
    def waiter_url(self) -> str:
        """Where waits and streams are held."""
        return self.stack.waiter_url or self.stack.base_url

    def start(self) -> None:
        self.stack.start()
        self.receiver_url = f"{self.stack.receiver_url}"  # one that is dead says none
        for name in STAGES if self._control else ():
            self.stack.processes.children[name].kill_group()
            self._run(self.stack.processes.children[name].program)
        witness.install(self.stack.owner_url)
        _sell_all(self.stack.owner_url)
        self._run(replace(services.web(self._second), name="web-2"))
        for name in SPARES:
            self._run(services.worker(name, STAGES))
        if not self._control:
            self._run(Program("operator", [sys.executable, "-c", OPERATE], restart=True))

    def stop(self) -> None:
        self.stack.stop(grace=3.0)
        self._second.close()

    def repair(self) -> None:
        """Start dead programs again, without waiting for them."""
        for name, child in list(self.stack.processes.children.items()):
            if child.exit_code is not None:
                self.restarts[name] += 1
                self.stack.processes.restart(name)

    def set_trap(self, crash_point: str) -> None:
        """Kill the next process that passes the point."""
        (self._traps / crash_point).touch()

    def traps(self) -> set[str]:
        return {path.name for path in self._traps.iterdir()}

    def remove_traps(self) -> None:
        """Keep only the crash point of a control run: most refunds come while it calms down."""
        for path in self._traps.iterdir():
            path.unlink(missing_ok=True)

    def stripe_page(self) -> StripePage:
        """Stripe's emulator, as payers and the judge see it."""
        return StripePage(f"{self.stack.stripe_url}", self.stack.env["STRIPE_SECRET_KEY"])

    def rest(self) -> None:
        """The operator does nothing more."""
        self._rest.touch()

    def crashes(self) -> Counter[str]:
        """How often each crash point ended a process until now."""
        return Counter(name for name, _ in self._deaths())

    def crashed(self) -> set[int]:
        """Processes that died at a crash point."""
        return {process for _, process in self._deaths()}

    def _deaths(self) -> list[tuple[str, int]]:
        if not self._crash_log.exists():
            return []
        pairs = (line.split() for line in self._crash_log.read_text().splitlines())
        return [(name, int(process)) for name, process in pairs]

    def forked(self, *names: str) -> list[psutil.Process]:
        """The forked processes of the named programs, which do their work."""
        found: list[psutil.Process] = []
        for name in names:
            try:
                found += psutil.Process(self.stack.processes.children[name].pid).children()
            except psutil.NoSuchProcess:
                continue
        return found

    def _run(self, program: Program) -> None:
        if self._control and "celery" in program.argv:
            argv = [
                "dev.chaos.broken_workers" if word == "config" else word for word in program.argv
            ]
            program = replace(program, argv=argv)
            self.stack.env["CHAOS_CONTROL"] = self._control
        self.stack.processes.run(program, self.stack.env)


def _sell_all(owner_url: str) -> None:
    """Both backends are under fire, at the same rate."""
    with psycopg.connect(owner_url, autocommit=True) as connection:
        connection.execute(
            "UPDATE generation_catalogmodel SET enabled = true, submits_per_minute = 50"
            " WHERE name = 'omni'"
        )


def _port(listener: socket.socket) -> int:
    port: int = listener.getsockname()[1]
    return port
