"""One run: bring it up, load it, break it, let it calm down, judge it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from dev.chaos import controls, unwrapped, witness
from dev.chaos.buyers import Buyers
from dev.chaos.customers import Customers
from dev.chaos.faults import Faults
from dev.chaos.fleet import Fleet
from dev.chaos.folder import run_folder
from dev.chaos.hooks import Hooks, let_time_pass
from dev.chaos.judge import judge
from dev.chaos.pulse import Pulse
from dev.chaos.report import table
from dev.chaos.verdict import DRAIN_SECONDS, Run, Verdict, owed

TURN = 0.05  # seconds between two looks at what is due
PASSES = 2.0  # seconds between two times that the hours of the schedule pass
REPORT = 10.0  # seconds between two lines of progress
GIVE_UP = 2 * DRAIN_SECONDS
WARM = 15  # generations that are completed before the first fault
# until a missing guard has to be noticed, which ends the run: a machine of one's own takes 20
CONTROL_SECONDS = 180.0
WARM_SECONDS = 180.0  # for these at most; a slow machine takes long to start a dozen programs


def run(seconds: float, seed: int, focus: str | None = None) -> Verdict:
    """Do it and print what happened; the folder with the logs is kept when something was wrong.

    ``focus`` names a stage whose worker dies most.
    """
    print(f"chaos for {seconds:.0f} s, seed {seed}" + (f", at {focus}" if focus else ""))
    with run_folder("chaos") as folder:
        with _fleet(folder.path, seed) as fleet:
            verdict = _Fire(fleet, seed, focus).verdict(seconds)
        folder.is_kept = bool(verdict.problems)
    for problem in verdict.problems:
        print(f"VIOLATION {problem}")
    print(verdict.line(), flush=True)
    return verdict


def run_without(control: str, seed: int) -> str | None:
    """Run with a guard removed until it is noticed; the words of who did, or None."""
    print(f"chaos with seed {seed}, {control}")
    with run_folder("chaos") as folder:
        with _fleet(folder.path, seed, control) as fleet:
            controls.prepare(control, fleet.stack.owner_url)
            caught = _Fire(fleet, seed).caught(controls.LOOKS[control])
        folder.is_kept = False
    return caught


@contextmanager
def _fleet(folder: Path, seed: int, control: str | None = None) -> Iterator[Fleet]:
    fleet = Fleet(folder, seed, controls.MODULES[control] if control else None)
    try:
        fleet.start()
        yield fleet
    finally:
        fleet.stop()


class _Fire:
    """Customers, faults and the pulse of one run."""

    def __init__(self, fleet: Fleet, seed: int, focus: str | None = None) -> None:
        self._focus = focus
        self._fleet = fleet
        self._seed = seed
        picture = f"{fleet.stack.emulator_url}/sample-images/square.png"
        self._hooks = Hooks(fleet.receiver_url)
        self._customers = Customers(fleet.base_urls, fleet.waiter_url, self._hooks, picture, seed)
        self._buyers = Buyers(fleet.base_urls, fleet.stripe_page(), seed)
        self._pulse = Pulse(fleet.stack.owner_url)
        self._faults = Faults(fleet, seed, focus)
        self._reported = self._passes = time.monotonic()

    def verdict(self, seconds: float) -> Verdict:
        """Load it, break it, let it calm down, and judge what is left."""
        try:
            secrets = self._warm_up()
            self._until(self._burn, seconds, "")
            # a slow machine gets more time, not fewer faults
            self._until(lambda: self._burn(seconds), seconds, "over time")
            self._faults.end()
            self._fleet.rest()
            self._customers.stop()
            self._buyers.stop()
            drain = self._until(self._is_over, GIVE_UP, "after the last fault")
            drained = drain if self._is_over() else None
            claims = witness.overtaken(self._fleet.stack.owner_url)
            hits = witness.hits(claims, self._faults.fallen)
            crashes = self._fleet.crashes()
            tally = self._faults.tally
            run = Run(seconds, self._seed, tally, crashes, drained, secrets, hits, self._focus)
            book, receipts = self._customers.book, self._buyers.receipts
            received = unwrapped.tried(self._hooks.received(), self._hooks.secrets)
            verdict = judge(self._fleet, book, receipts, received, run)
            print(table(verdict, book, receipts))
            return verdict
        finally:
            self._close()

    def caught(self, look: Callable[[Fleet], str | None]) -> str | None:
        """Load it and break it until ``look`` has something to say, for CONTROL_SECONDS at most."""
        said: list[str] = []

        def is_caught() -> bool:
            self._burn()
            if self._pulse.is_fresh and (sentence := look(self._fleet)) is not None:
                said.append(sentence)
            return bool(said)

        try:
            self._warm_up(1)
            self._until(is_caught, CONTROL_SECONDS, "")
            return said[0] if said else None
        finally:
            self._close()

    def _warm_up(self, completed: int = WARM) -> list[str]:
        """Wait until the customers are served; their secrets."""
        secrets = self._customers.start(self._fleet.stack.owner_url)
        self._buyers.start(self._fleet.stack.owner_url)
        warm = self._until(lambda: self._pulse.completed >= completed, WARM_SECONDS, "to warm up")
        print(f"  the fire begins {warm:.0f} s after the start", flush=True)
        return secrets

    def _close(self) -> None:
        self._customers.close()
        self._hooks.close()
        self._buyers.close()
        self._pulse.close()

    def _burn(self, seconds: float | None = None) -> bool:
        """Play; True when every crash point fired often enough for ``seconds``, and all bought."""
        self._faults.play(self._pulse.steps)
        if seconds is None or owed(self._fleet.crashes(), seconds, self._focus):
            return False
        return self._buyers.has_met_all()

    def _is_over(self) -> bool:
        if not self._pulse.look(now=True) or self._pulse.open or self._pulse.unsettled:
            return False
        if self._pulse.unsent:
            if time.monotonic() > self._passes:  # hours, for receivers that are there again
                let_time_pass(self._fleet.stack.owner_url)
                self._passes = time.monotonic() + PASSES
            return False
        return self._customers.are_done() and self._buyers.are_done()

    def _until(self, over: Callable[[], bool], seconds: float, what: str) -> float:
        """Repair, count and offer places until ``over()``, at most ``seconds``; the seconds taken.

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
