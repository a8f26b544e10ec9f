"""Stops, resumes, adds and ends programs of a running stack."""

from __future__ import annotations

import contextlib
import time
from dataclasses import replace

import psutil

from dev.embedded import services
from dev.embedded.processes import Child, Program
from dev.embedded.stack import Stack

GRACE = 35.0  # seconds; docker-compose.yml's stop_grace_period


class Hands:
    """``open`` undoes all of it."""

    def __init__(self, stack: Stack) -> None:
        self._stack = stack
        self._held: dict[str, list[psutil.Process]] = {}
        self._added: list[str] = []

    def family(self, name: str) -> list[psutil.Process]:
        """A program, then the processes that it forked."""
        leader = psutil.Process(self._stack.processes.children[name].pid)
        return [leader, *leader.children(recursive=True)]

    def hold(self, *names: str) -> None:
        """SIGSTOP a program with all its processes, as when its machine is paused."""
        for name in names:
            self._held[name] = self.family(name)
            for process in self._held[name]:
                process.suspend()

    def let_go(self, *names: str) -> None:
        """SIGCONT."""
        for name in names:
            for process in reversed(self._held.pop(name)):
                with contextlib.suppress(psutil.NoSuchProcess):
                    process.resume()

    def add(self, program: Program, **environment: str) -> Child:
        """Run one program more, which ends with the test."""
        self._added.append(program.name)
        return self._stack.processes.run(program, self._stack.env | environment)

    def add_worker(
        self, name: str, stages: tuple[str, ...], app: str = "config", **environment: str
    ) -> Child:
        """Run one worker more; ``app`` names another Celery application."""
        program = services.worker(name, stages)
        argv = [app if word == "config" else word for word in program.argv]
        return self.add(replace(program, argv=argv), **environment)

    def remove(self, name: str) -> None:
        """Kill an added program."""
        self._added.remove(name)
        self._held.pop(name, None)
        self._stack.processes.children.pop(name).kill_group()

    def stop_gracefully(self, *names: str) -> dict[str, float]:
        """SIGTERM, as a deployment sends it; how many seconds each program took to end."""
        children = {name: self._stack.processes.children[name] for name in names}
        took: dict[str, float] = {}
        began = time.monotonic()
        for child in children.values():
            child.signal(child.program.stop_signal)
        while len(took) < len(names):
            assert time.monotonic() < began + GRACE, f"{names} did not end, {took} did"
            for name, child in children.items():
                if name not in took and child.exit_code is not None:
                    took[name] = time.monotonic() - began
            time.sleep(0.02)
        return took

    def open(self) -> None:
        """Let everything go on and end what was added."""
        self.let_go(*list(self._held))
        for name in list(self._added):
            self.remove(name)
