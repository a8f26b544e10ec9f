"""Batches of orders that became videos: what each one cost, ours beside the textbook's."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

PROVIDER = "emulator"  # what it uses would be used at Google's


@dataclass(frozen=True, slots=True)
class Batch:
    """So many orders in so many seconds; ``cpu`` is processor seconds by program."""

    orders: int
    seconds: float
    polls: int
    cpu: dict[str, float]

    @property
    def per_second(self) -> float:
        return self.orders / self.seconds

    @property
    def cpu_ms(self) -> float:
        """Milliseconds of processor time a generation, the provider's left out."""
        return sum(used for name, used in self.by_program().items() if name != PROVIDER)

    @property
    def polls_each(self) -> float:
        return self.polls / self.orders

    def by_program(self) -> dict[str, float]:
        """Milliseconds of processor time a generation."""
        return {name: used * 1e3 / self.orders for name, used in self.cpu.items()}


Pair = tuple[Batch, Batch]  # ours and the textbook's, of one round


def figures(floods: Sequence[Pair], paced: Sequence[Pair]) -> dict[str, Any]:
    """Medians over the rounds: rates of the floods, costs of the paced batches."""
    found: dict[str, Any] = {
        "pipeline_vs_textbook": median(ratios(paced)),
        "pipeline_flood_vs_textbook": median(ratios(floods)),
    }
    for name, number in (("pipeline", 0), ("pipeline_textbook", 1)):
        flood, batches = [pair[number] for pair in floods], [pair[number] for pair in paced]
        found |= {
            f"{name}_per_s": median(batch.per_second for batch in flood),
            f"{name}_flood_cpu_ms": median(batch.cpu_ms for batch in flood),
            f"{name}_cpu_ms": median(batch.cpu_ms for batch in batches),
            f"{name}_cpu_ms_by": _by_program(batches),
            f"{name}_polls": median(batch.polls_each for batch in batches),
        }
    return found


def ratios(rounds: Sequence[Pair]) -> list[float]:
    """How many times the textbook's generations a CPU second, each of one round."""
    return sorted(textbook.cpu_ms / ours.cpu_ms for ours, textbook in rounds)


def table(title: str, rounds: Sequence[Pair]) -> str:
    """For people: rates and polls, then CPU milliseconds a generation by program."""
    sides = [[pair[number] for pair in rounds] for number in (0, 1)]
    rows: dict[str, list[float | None]] = {
        "completed a second": [median(batch.per_second for batch in side) for side in sides],
        "polls a generation": [median(batch.polls_each for batch in side) for side in sides],
        "CPU ms a generation": [median(batch.cpu_ms for batch in side) for side in sides],
    }
    programs = [_by_program(side) for side in sides]
    for name in dict.fromkeys([*programs[0], *programs[1]]):
        note = " (not in the sum)" if name == PROVIDER else ""
        rows[f"  {name}{note}"] = [each.get(name) for each in programs]
    lines = [f"{title:34}{'ours':>10}{'textbook':>10}"]
    for name, values in rows.items():
        cells = (" " * 10 if value is None else f"{value:10.2f}" for value in values)
        lines.append(f"{name:34}{''.join(cells)}")
    found = ratios(rounds)
    spread = f"({found[0]:.2f} to {found[-1]:.2f})"
    lines.append(f"{'generations a CPU second, ratio':34}{median(found):10.2f} {spread}")
    return "\n".join(lines)


def _by_program(batches: Sequence[Batch]) -> dict[str, float]:
    return {
        name: median(batch.by_program()[name] for batch in batches)
        for name in batches[0].by_program()
    }
