"""A supervisor for the tests to kill: ``python -m tests.dev.embedded.supervise FOLDER KIND``."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

from dev.embedded.environment import Options
from dev.embedded.leftovers import MARKER
from dev.embedded.processes import Program, wait_until
from dev.embedded.stack import Stack
from dev.embedded.supervisor import Supervisor

POLITE = "import time; time.sleep(60)"
# ignores being asked, and has a child of its own that does too
STUBBORN = """
import os, signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
os.fork()
print("still here", flush=True)
time.sleep(60)
"""


def python(code: str) -> list[str]:
    return [sys.executable, "-c", code]


def dummies(folder: Path) -> Supervisor:
    supervisor = Supervisor(folder)
    environment = {**os.environ, MARKER: str(folder)}
    for name, code in {"polite": POLITE, "stubborn": STUBBORN}.items():
        supervisor.run(Program(name, python(code)), environment)
    return supervisor


if __name__ == "__main__":
    target = Path(sys.argv[1])
    if sys.argv[2] == "dummies":
        stubborn = dummies(target).children["stubborn"]
        wait_until(lambda: stubborn.log_tail().count("still here") == 2, 10)
    else:
        Stack(target, Options(services=False, emulator=False)).start()
    (target / "up").touch()
    time.sleep(60)
