"""The children of one stack: recorded at the start, restarted where that helps, ended together."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from pathlib import Path

from dev.embedded import StackError, leftovers
from dev.embedded.processes import Child, Program, stop_all

LOG_LIMIT = 10 * 1024 * 1024  # bytes; a longer log is put aside at the next start
LONGEST_DELAY = 30.0  # seconds before a program that keeps dying is started again
LIVED_WELL = 60.0  # seconds after which a death is not a repetition


class Supervisor:
    """Keeps the children of the stack whose data is in ``var_dir``."""

    def __init__(self, var_dir: Path) -> None:
        """End what an earlier, killed stack left here; ``found_left`` names it."""
        self.children: dict[str, Child] = {}
        self._var_dir = var_dir
        self._record_path = var_dir / "processes.json"
        self._again: dict[str, Callable[[], Child]] = {}
        self._delays: dict[str, float] = {}  # seconds before the next restart of a program
        self._due: dict[str, float] = {}  # when a dead one is started again
        self.found_left = leftovers.end(self._record_path, str(var_dir))
        for log in (var_dir / "log").glob("*.log"):
            if log.stat().st_size > LOG_LIMIT:
                log.replace(log.with_suffix(".log.old"))

    def log(self, name: str) -> Path:
        """Where a program's output goes."""
        return self._var_dir / "log" / f"{name}.log"

    def run(self, program: Program, environment: Mapping[str, str]) -> Child:
        def again() -> Child:
            return Child(program, environment, self.log(program.name))

        return self.keep(program.name, again)

    def keep(self, name: str, start: Callable[[], Child]) -> Child:
        """Start a child by ``start``, now and at every restart, and note it for the next stack."""
        self._again[name] = start
        self.children[name] = start()
        leftovers.record(self._record_path, self.children.values())
        return self.children[name]

    def watch(self) -> None:
        """Restart dead programs that may be restarted; StackError for any other death."""
        now = time.monotonic()
        for name, child in list(self.children.items()):
            if child.exit_code is None:
                continue
            if not child.program.restart:
                raise StackError(child.death_message())
            if name not in self._due:
                lived_well = now - child.started > LIVED_WELL
                self._delays[name] = 1.0 if lived_well else self._delays.get(name, 0.5) * 2
                self._due[name] = now + min(self._delays[name], LONGEST_DELAY)
            elif now >= self._due[name]:
                self.restart(name)

    def restart(self, name: str) -> Child:
        """Kill what is left of a program's group and start it again."""
        self._due.pop(name, None)
        self.children[name].kill_group()
        return self.keep(name, self._again[name])

    def stop(self, grace: float, last: tuple[str, ...]) -> None:
        """End all children, those named in ``last`` after the others; an interrupt kills them."""
        first = [child for name, child in self.children.items() if name not in last]
        try:
            stop_all(first, grace)
        finally:
            stop_all([self.children[name] for name in last if name in self.children], grace)
            self.children.clear()
            self._record_path.unlink(missing_ok=True)
