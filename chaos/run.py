"""One run: bring it up, load it, break it, let it calm down, judge it."""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from chaos import controls, witness
from chaos.customers import Customers
from chaos.faults import Faults
from chaos.fleet import Fleet
from chaos.judge import judge
from chaos.pulse import Pulse
from chaos.report import table
from chaos.verdict import DRAIN_SECONDS, Run, Verdict

TURN = 0.05  # seconds between two looks at what is due
REPORT = 10.0  # seconds between two lines of progress
GIVE_UP = 2 * DRAIN_SECONDS
WARM = 15  # generations that are completed before the first fault
WARM_SECONDS = 180.0  # for these at most; a slow machine takes long to start a dozen programs


def run(seconds: float, seed: int, control: str | None = None) -> Verdict:
    """Do it and print what happened; the folder with the logs is kept when something was wrong."""
    folder = Path(tempfile.mkdtemp(prefix="reelmint-chaos-"))
    print(f"chaos for {seconds:.0f} s, seed {seed}" + (f", {control}" if control else ""))
    fleet = Fleet(folder, seed, controls.MODULES[control] if control else None)
    try:
        fleet.start()
        if control:
            controls.prepare(control, fleet.stack.owner_url)
        verdict = _Fire(fleet, seconds, seed).verdict()
    finally:
        fleet.stop()
    for problem in verdict.problems:
        print(f"VIOLATION {problem}")
    if verdict.problems and not control:
        print(f"The logs are in {folder}")
    else:
        shutil.rmtree(folder)
    print(verdict.line(), flush=True)
    return verdict


class _Fire:
    """Customers, faults and the pulse of one run."""

    def __init__(self, fleet: Fleet, seconds: float, seed: int) -> None:
        self._fleet = fleet
        self._seconds = seconds
        self._seed = seed
        self._customers = Customers(fleet.base_urls, seed)
        self._pulse = Pulse(fleet.stack.owner_url)
        self._faults = Faults(fleet, seed)
        self._began = self._reported = time.monotonic()

    def verdict(self) -> Verdict:
        """Load it, break it, let it calm down, and judge what is left."""
        try:
            secrets = self._customers.start()
            warm = self._until(lambda: self._pulse.completed >= WARM, WARM_SECONDS, "to warm up")
            print(f"  the fire begins {warm:.0f} s after the start", flush=True)
            self._until(self._burn, self._seconds, "")
            self._faults.end()
            self._customers.stop()
            drain = self._until(self._is_over, GIVE_UP, "after the last fault")
            drained = drain if self._is_over() else None
            claims = witness.overtaken(self._fleet.stack.owner_url)
            hits = witness.hits(claims, self._faults.fallen)
            crashes = self._fleet.crashes()
            run = Run(
                self._seconds, self._seed, self._faults.tally, crashes, drained, secrets, hits
            )
            verdict = judge(self._fleet, self._customers.book, run)
            print(table(verdict, self._customers.book))
            return verdict
        finally:
            self._customers.close()
            self._pulse.close()

    def _burn(self) -> bool:
        self._faults.play(self._pulse.steps)
        return False  # as long as it may

    def _is_over(self) -> bool:
        return self._pulse.look(now=True) and not self._pulse.open and self._customers.are_done()

    def _until(self, over: Callable[[], bool], seconds: float, what: str) -> float:
        """Repair, count and offer places until it is ``over``, or for ``seconds``; how long it was.

        ``what`` goes into the lines of progress.
        """
        began = self._reported = time.monotonic()
        while not over() and time.monotonic() < began + seconds:
            self._fleet.repair()
            if self._pulse.look():
                self._customers.offer(self._pulse.places)
            self._report(began, what)
            time.sleep(TURN)
        return time.monotonic() - began

    def _report(self, began: float, what: str) -> None:
        now = time.monotonic()
        if now - self._reported < REPORT:
            return
        self._reported = now
        faults = self._faults.tally.total() + self._fleet.crashes().total()
        line = f"{now - began:6.0f} s {what:<20} {faults:>5} faults, {self._pulse}"
        away = now - self._pulse.answered > 1.0
        print(line + (", the database is away" if away else ""), flush=True)
