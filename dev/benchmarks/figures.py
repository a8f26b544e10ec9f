"""Medians and spreads of rounds, ratios within rounds, and how people and programs read them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

from dev.benchmarks.failure import BenchmarkFailed


@dataclass(frozen=True, slots=True)
class Measured:
    """One measurement; times in milliseconds, None where there is none of that kind."""

    per_second: float
    p50_ms: float | None = None
    p99_ms: float | None = None
    cpu_ms: float | None = None  # processor time of the web's processes a request
    statements: float | None = None  # sent by the web to PostgreSQL a request


class Rounds:
    """The measurements of every subject, round by round."""

    def __init__(self) -> None:
        self._by_subject: dict[str, list[Measured]] = {}

    def add(self, subject: str, measured: Measured) -> None:
        """Add a measurement of a subject."""
        self._by_subject.setdefault(subject, []).append(measured)

    def of(self, subject: str) -> list[Measured]:
        """All of a subject. Raises BenchmarkFailed when it was not measured."""
        found = self._by_subject.get(subject)
        if not found:
            raise BenchmarkFailed(f"{subject} was not measured")
        return found

    def median(self, subject: str, what: str = "per_second") -> float:
        """Over the rounds, of one of Measured's fields that this subject has."""
        return median(_values(self.of(subject), what))

    def ratio(self, subject: str, to: str, what: str = "per_second") -> float:
        """The median of the rounds' own ratios.

        A shared machine is faster in one round than in the next, so each ratio is of one round.
        """
        pairs = zip(_values(self.of(subject), what), _values(self.of(to), what), strict=True)
        return median(one / other for one, other in pairs)

    def table(self) -> str:
        """For people: a line a subject, medians, the spread of the rate in brackets."""
        rest = "".join(f"{title:>9}" for title in ("p50 ms", "p99 ms", "CPU ms"))
        lines = [f"{'':34}{'a second':>9}  {'(from-to)':>15}{rest}{'SQL':>6}"]
        for subject, measured in self._by_subject.items():
            rates = _values(measured, "per_second")
            spread = f"({min(rates):.0f}-{max(rates):.0f})"
            cells = [
                _cell(measured, "p50_ms", 9, 1),
                _cell(measured, "p99_ms", 9, 1),
                _cell(measured, "cpu_ms", 9, 2),
                _cell(measured, "statements", 6, 1),
            ]
            lines.append(f"{subject:34}{median(rates):9.0f}  {spread:>15}{''.join(cells)}")
        return "\n".join(lines)


def last_line(figures: Mapping[str, Any]) -> str:
    """For programs; floats to three significant places or better."""
    return json.dumps({name: _rounded(value) for name, value in figures.items()})


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that at least ``share`` of all do not exceed."""
    ordered = sorted(values)
    if not ordered:
        raise BenchmarkFailed("There is nothing to take a percentile of")
    return ordered[min(len(ordered) - 1, max(0, -int(-len(ordered) * share // 1) - 1))]


def _values(measured: Sequence[Measured], what: str) -> list[float]:
    return [value for one in measured if (value := getattr(one, what)) is not None]


def _cell(measured: Sequence[Measured], what: str, width: int, places: int) -> str:
    values = _values(measured, what)
    return f"{median(values):{width}.{places}f}" if values else " " * width


def _rounded(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _rounded(inner) for name, inner in value.items()}
    return round(value, 3) if isinstance(value, float) else value
