"""The floors of the outages, and the lines that report their figures."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(slots=True)
class Report:
    """Figures by name, and every floor that was missed."""

    figures: dict[str, Any] = field(default_factory=dict)
    missed: list[str] = field(default_factory=list)

    def note(self, name: str, value: Any) -> None:
        """Keep a figure that has no floor."""
        self.figures[name] = value

    def at_most(self, name: str, value: float | None, bound: float) -> None:
        """Keep a figure; None stands for "never" and misses every floor."""
        self.figures[name] = value
        if value is None or value > bound:
            self.missed.append(f"{name} is {value}, at most {bound} is allowed")

    def exactly(self, name: str, value: float, wanted: float) -> None:
        """Keep a figure that can only be right or wrong."""
        self.figures[name] = value
        if value != wanted:
            self.missed.append(f"{name} is {value} instead of {wanted}")

    def none_of(self, name: str, offenders: list[str]) -> None:
        """Keep the number of wrong things, which must be 0; the first three are named."""
        self.figures[name] = len(offenders)
        if offenders:
            self.missed.append(f"{name}: {len(offenders)}, such as {'; '.join(offenders[:3])}")

    def table(self) -> str:
        """One line a figure, for people."""
        return "\n".join(f"  {name:<44}{value}" for name, value in self.figures.items())
