"""What the engine asks of a stage. generation/stages/base.py has what all of them share."""

from __future__ import annotations

from collections.abc import Coroutine
from typing import Any, Protocol

from django.db import InterfaceError, OperationalError

from generation.models import Generation

DATABASE_ERRORS = (OperationalError, InterfaceError)

Step = Coroutine[Any, Any, Any]
Done = tuple[Generation, Any]  # a row and what its coroutine returned or raised


class Stage(Protocol):
    """All but the coroutines is synchronous."""

    name: str
    concurrency: int
    gathers: bool  # whether answers are waited for up to a turn, to be written back together
    gap: float  # seconds the loop runs between two starts
    # Seconds beyond its time for which a run goes on claiming while rows are under way. What is
    # left then, or when the worker is told to end, is handed back: 0 for stages that may have
    # bought something, which are waited for.
    keeps_claiming: float
    patience: float  # seconds that a run which is cut off waits for what is under way

    def claim(self, limit: int) -> list[Generation]:
        """Lease up to ``limit`` due rows."""

    def start(self, generation: Generation) -> Step | None:
        """What to wait for; None when the row was dealt with at once."""

    def together(self, done: list[Done]) -> list[Done]:
        """Write back in one statement what can be; returns the rest."""

    def finish(self, generation: Generation, outcome: Any) -> Step | None:
        """Write back what a coroutine returned or raised; maybe go on with another one."""

    def drop(self, generation: Generation, error: BaseException) -> None:
        """Write back that our own code failed on this row."""

    def hand_back(self, generations: list[Generation]) -> None:
        """Write back that these were claimed in vain, through no fault of theirs."""
