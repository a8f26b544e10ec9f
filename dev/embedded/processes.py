"""Child processes that do not outlive us, and the record by which the next start finds any left.

Start them from a thread that lives as long as they shall: the kernel sends the death signal when
the *thread* that forked ends (PR_SET_PDEATHSIG in prctl(2)).
"""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from dev.embedded import StackError
from dev.embedded.paths import CHECKOUT
from dev.embedded.unprivileged import OURSELVES, Identity

PR_SET_PDEATHSIG = 1  # linux/prctl.h
_libc = ctypes.CDLL(None, use_errno=True)


@dataclass(frozen=True)
class Program:
    """What to run. ``restart``: its death is repaired with a back-off instead of ending all."""

    name: str
    argv: Sequence[str]
    stop_signal: signal.Signals = signal.SIGTERM
    restart: bool = False
    pass_fds: tuple[int, ...] = ()
    identity: Identity = OURSELVES


class Child:
    """One running program, in a session of its own, writing to ``log``."""

    def __init__(self, program: Program, environment: Mapping[str, str], log: Path) -> None:
        """Start it at once, in the checkout's folder."""
        self.program = program
        self.log = log
        self.started = time.monotonic()
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("ab") as output:
            self._log_start = output.tell()
            self._process = subprocess.Popen(
                program.argv,
                cwd=CHECKOUT,
                env=dict(environment),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                pass_fds=program.pass_fds,
                user=program.identity.user,
                group=program.identity.group,
                extra_groups=[] if program.identity.user else None,
                preexec_fn=_child_setup(program),  # noqa: PLW1509 -- calls nothing that takes a lock
            )
        self.start_time = start_time(self.pid) or ""

    @property
    def pid(self) -> int:
        """The process id, which is the id of its group and session too."""
        return self._process.pid

    @property
    def exit_code(self) -> int | None:
        """None while it runs; negative = the signal that ended it."""
        if self._process.returncode is not None:
            return self._process.returncode
        # WNOWAIT: while nobody collects the exit code, the number cannot be given to a stranger
        # and kill_group() cannot hit one
        seen = os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT)
        if seen is None:
            return None
        return seen.si_status if seen.si_code == os.CLD_EXITED else -seen.si_status

    def signal(self, number: signal.Signals) -> None:
        """Send to the program alone, not to what it started."""
        if self._process.returncode is None:
            os.kill(self.pid, number)

    def kill_group(self) -> None:
        """SIGKILL to the program and everything of its group, also after its own end."""
        if self._process.returncode is None:
            signal_group(self.pid, signal.SIGKILL)
            self._process.wait()

    def log_tail(self, lines: int = 15) -> str:
        """The last lines it wrote since this start, for a message."""
        with self.log.open("rb") as file:
            file.seek(self._log_start)
            return b"\n".join(file.read().splitlines()[-lines:]).decode(errors="replace")

    def death_message(self) -> str:
        """A sentence that says how it ended, and the end of its log."""
        return (
            f"{self.program.name} ended with {self.exit_code}. {self.log} says:\n{self.log_tail()}"
        )


def _child_setup(program: Program) -> Callable[[], None]:
    """What the child does between fork and exec; calls only what was loaded before the fork."""
    parent = os.getpid()
    linux = sys.platform == "linux"

    def setup() -> None:
        if program.identity.enter is not None:
            program.identity.enter()
        # after the change of user: that would clear it
        if linux:
            _libc.prctl(PR_SET_PDEATHSIG, int(program.stop_signal))
            if os.getppid() != parent:
                os._exit(1)

    return setup


def start_time(pid: int) -> str | None:
    """The start time, which together with the reusable id names a process for good; None = gone."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        if Path("/proc/self").exists():
            return None
        listed = subprocess.run(
            ["ps", "-o", "lstart=", "-p", str(pid)], capture_output=True, text=True, check=False
        )
        return listed.stdout.strip() or None
    return None if fields[0] == "Z" else fields[19]  # proc(5): state and starttime


def signal_group(group: int, number: signal.Signals) -> None:
    """Signal every process of a group; an empty group is fine."""
    try:
        os.killpg(group, number)
    except (ProcessLookupError, PermissionError):
        # macOS answers "not permitted" for a group of zombies
        return


def signal_process(pid: int, number: int) -> None:
    """Signal a process that may have ended meanwhile."""
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return


def wait_until(question: Callable[[], bool], seconds: float, interval: float = 0.02) -> bool:
    """Ask until the answer is yes; False when the time is over."""
    limit = time.monotonic() + seconds
    while not question():
        if time.monotonic() > limit:
            return False
        time.sleep(interval)
    return True


def stop_all(children: Iterable[Child], grace: float) -> None:
    """Ask all to end, wait at most ``grace`` seconds for all together, then kill what is left."""
    children = list(children)
    for child in children:
        if child.exit_code is None:
            child.signal(child.program.stop_signal)
    try:
        wait_until(lambda: all(child.exit_code is not None for child in children), grace)
    finally:
        for child in children:
            child.kill_group()


def wait_ready(child: Child, question: Callable[[], bool], seconds: float = 30.0) -> None:
    """Wait for a child to answer; StackError with its log when it dies or takes too long."""
    wait_until(lambda: child.exit_code is not None or question(), seconds)
    if child.exit_code is not None:
        raise StackError(child.death_message())
    if not question():
        raise StackError(
            f"{child.program.name} was not ready after {seconds:.0f} s. {child.log} says:\n"
            f"{child.log_tail()}"
        )
