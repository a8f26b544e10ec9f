"""Starting and stopping: what every server, the stack and the benchmark's stage have in common."""

from __future__ import annotations

from abc import ABC, abstractmethod
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import ClassVar, Self

from dev.embedded import StackError
from dev.embedded.paths import Lock
from dev.embedded.processes import Child, stop_all

GRACE = 10.0  # seconds for a worker's batch, a request in progress, a server's last writes


class Startable(ABC):
    """As a context manager it is up meanwhile."""

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def start(self) -> Self:
        """Bring it up. When that fails, an interrupt included, nothing is left running."""
        with ExitStack() as undo:
            undo.callback(self.stop)
            self._start()
            undo.pop_all()
        return self

    @abstractmethod
    def stop(self, grace: float = GRACE) -> None:
        """End everything, also what is half started; harmless when repeated."""

    @abstractmethod
    def _start(self) -> None:
        """Bring it up; what raises half-way is undone by ``stop()``."""


class Server(Startable):
    """One process on one folder of data."""

    name: ClassVar[str]

    def __init__(self, data_dir: Path, log: Path | None, leaves: Path | None = None) -> None:
        """Without ``log`` its output goes beside the data; ``leaves`` is a file to be removed."""
        self.data_dir = data_dir
        self.log = log or data_dir.with_name(f"{data_dir.name}.log")
        self._leaves = leaves
        self._lock: Lock | None = None
        self._child: Child | None = None

    @property
    def child(self) -> Child:
        """The running server; StackError before launch()."""
        if self._child is None:
            raise StackError(f"{self.name} was not started")
        return self._child

    @abstractmethod
    def launch(self) -> Child:
        """Start it without waiting for it."""

    @abstractmethod
    def wait(self) -> None:
        """Return once it answers; StackError when it dies or takes too long."""

    def stop(self, grace: float = GRACE) -> None:
        if self._child is not None:
            stop_all([self._child], grace)
            self._child = None
            if self._leaves is not None:
                self._leaves.unlink(missing_ok=True)
        if self._lock is not None:
            self._lock.release()
            self._lock = None

    def _start(self) -> None:
        self.launch()
        self.wait()

    def _take_lock(self) -> None:
        """Keep a second server of ours away from the data; a restart holds the lock already."""
        if self._lock is None:
            path = self.data_dir.with_name(f"{self.data_dir.name}.lock")
            self._lock = Lock(path, f"Another {self.name} of ours runs on {self.data_dir}")
