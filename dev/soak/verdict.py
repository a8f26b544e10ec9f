"""What the samples say: the level after warming up, the level at the end, and the slope between."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from statistics import fmean, median
from typing import Any

LEAST_SECONDS = 30.0
WARM_UP = 0.2  # of the time; pools fill and caches warm until then
WINDOW = 0.15  # of the samples: a level is the median of so many
HOUR = 3600.0
AS_EXPECTED = "as expected"


@dataclass(frozen=True, slots=True)
class Limit:
    """What a level may be at the end: ``factor`` times that after the warm-up, plus ``slack``."""

    factor: float
    slack: float

    def allows(self, start: float, end: float) -> bool:
        return end <= start * self.factor + self.slack


# By the last word of a series' name; what is not here is shown and not judged. The slack covers
# one more connection or one less window of a rate limit at the moment of a sample.
LIMITS = {
    "rss_mb": Limit(1.05, 0.0),
    "fds": Limit(1.0, 3.0),
    "threads": Limit(1.0, 2.0),
    "connections": Limit(1.0, 3.0),
    "clients": Limit(1.0, 3.0),
    "keys": Limit(1.0, 3.0),
    "redis_kb": Limit(1.05, 64.0),
    # else the load is more than this machine can do, and everything grows for another reason
    "open": Limit(1.5, 20.0),
}


@dataclass(frozen=True, slots=True)
class Trend:
    name: str
    start: float
    end: float
    slope: float  # an hour, fitted to all samples after the warm-up
    is_flat: bool

    @property
    def is_judged(self) -> bool:
        """Whether there is a limit for it."""
        return self.name.split()[-1] in LIMITS


def trend(name: str, times: Sequence[float], values: Sequence[float]) -> Trend:
    """Judge one series; ``times`` in seconds from its first sample on."""
    begin = next(i for i, moment in enumerate(times) if moment >= times[-1] * WARM_UP)
    times, values = times[begin:], values[begin:]
    width = max(3, round(len(values) * WINDOW))
    start, end = median(values[:width]), median(values[-width:])
    limit = LIMITS.get(name.rsplit(maxsplit=1)[-1])
    flat = limit is None or limit.allows(start, end)
    return Trend(name, start, end, slope(times, values) * HOUR, flat)


def slope(times: Sequence[float], values: Sequence[float]) -> float:
    """The growth a second, by least squares."""
    middle, level = fmean(times), fmean(values)
    spread = sum((moment - middle) ** 2 for moment in times)
    pairs = zip(times, values, strict=True)
    return sum((moment - middle) * (value - level) for moment, value in pairs) / spread


@dataclass(slots=True)
class Verdict:
    """The trends, what the customers counted, and everything that is wrong."""

    seconds: float
    trends: list[Trend]
    answers: dict[str, int]
    states: dict[str, int]
    problems: list[str] = field(default_factory=list)

    def table(self) -> str:
        """A line for each series."""
        head = f"{'':34}{'warm':>10}{'end':>10}{'growth':>9}{'per hour':>12}"
        return "\n".join([head, *map(_row, self.trends)])

    def line(self) -> str:
        """The last line of a run."""
        judged = [each for each in self.trends if each.is_judged]
        shown: dict[str, Any] = {
            "seconds": self.seconds,
            "answers": self.answers,
            "generations": self.states,
            "slopes_per_hour": {each.name: round(each.slope, 2) for each in judged},
            "growth": {
                each.name: round(each.end / each.start, 3)
                for each in judged
                if each.name.endswith("rss_mb")
            },
            "problems": self.problems,
        }
        return json.dumps(shown)


def _row(each: Trend) -> str:
    growth = f"{(each.end / each.start - 1) * 100:+.1f} %" if each.start else "-"
    mark = "" if each.is_flat else "  GROWS"
    return f"{each.name:34}{each.start:10.1f}{each.end:10.1f}{growth:>9}{each.slope:12.1f}{mark}"


def judge(
    times: Sequence[float],
    series: dict[str, list[float]],
    answers: dict[str, int],
    states: dict[str, int],
) -> Verdict:
    """The verdict on series that all have a value for each of ``times``."""
    trends = [trend(name, times, values) for name, values in sorted(series.items())]
    verdict = Verdict(round(times[-1], 1), trends, answers, states)
    verdict.problems += [
        f"{each.name} grew from {each.start:.1f} to {each.end:.1f}"
        for each in trends
        if not each.is_flat
    ]
    verdict.problems += [
        f"{count} times: {name}" for name, count in answers.items() if name != AS_EXPECTED
    ]
    done = states.get("completed", 0)
    if not states:
        verdict.problems.append("nothing was ordered")
    elif done < sum(states.values()) / 2:
        verdict.problems.append(f"only {done} of {sum(states.values())} generations completed")
    return verdict
