"""What the engine asks of a stage and of its rows, whatever table they are of."""

from __future__ import annotations

from collections.abc import Coroutine, Sequence
from typing import Any, Protocol, TypeVar

from django.db import InterfaceError, OperationalError

DATABASE_ERRORS = (OperationalError, InterfaceError)

Step = Coroutine[Any, Any, Any]


class Row(Protocol):
    """A row of due work, see due.py."""

    @property
    def pk(self) -> Any: ...


R = TypeVar("R", bound=Row)
Done = tuple[R, Any]  # a row and what its coroutine returned or raised


class Stage(Protocol[R]):
    """All but the coroutines is synchronous."""

    name: str
    noun: str  # what a row is, in the log
    concurrency: int
    gathers: bool  # whether answers are waited for up to a turn, to be written back together
    gap: float  # seconds the loop runs between two starts
    # Seconds beyond its time for which a run goes on claiming while rows are under way. What is
    # left then, or when the worker is told to end, is handed back: 0 for stages that may have
    # bought something, which are waited for.
    keeps_claiming: float
    patience: float  # seconds that a run which is cut off waits for what is under way

    def claim(self, limit: int) -> list[R]:
        """Lease up to ``limit`` due rows."""

    def traces(self, rows: Sequence[R], /) -> dict[Any, str]:
        """The trace that a row began in, by its primary key, where it is known."""

    def start(self, row: R, /) -> Step | None:
        """What to wait for; None when the row was dealt with at once."""

    def together(self, done: list[Done[R]]) -> list[Done[R]]:
        """Write back in one statement what can be; returns the rest."""

    def finish(self, row: R, outcome: Any, /) -> Step | None:
        """Write back what a coroutine returned or raised; maybe go on with another one."""

    def drop(self, row: R, error: BaseException, /) -> None:
        """Write back that our own code failed on this row."""

    def hand_back(self, rows: list[R], /) -> None:
        """Make rows that were claimed in vain due at once, without a strike."""
