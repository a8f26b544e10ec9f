"""The arithmetic of `make soak`: what grows is seen, what only jumps is not."""

from __future__ import annotations

import json
import math
from collections.abc import Callable

import pytest

from dev.soak.verdict import AS_EXPECTED, Verdict, judge, slope, trend

TIMES = [float(second) for second in range(0, 600, 5)]
FLAT = [100.0] * len(TIMES)


def series(value: Callable[[float], float]) -> list[float]:
    return [value(moment) for moment in TIMES]


def verdict(name: str, values: list[float], **answers: int) -> Verdict:
    return judge(TIMES, {name: values}, {AS_EXPECTED: 10} | answers, {"completed": 9, "failed": 3})


def test_a_steady_leak_is_seen() -> None:
    """0.02 MB a second: the windows lie around 152.5 s (103.05 MB) and 562.5 s (111.25 MB)."""
    found = verdict("web rss_mb", series(lambda second: 100 + second / 50))
    assert found.problems == ["web rss_mb grew from 103.0 to 111.2"]
    assert found.trends[0].slope == pytest.approx(72)  # MB an hour
    assert "GROWS" in found.table()


@pytest.mark.parametrize(
    "values",
    [
        FLAT,
        series(lambda second: 60 + 40 * min(second / 100, 1)),  # warms up, then stays
        series(lambda second: 100 + 3 * math.sin(second)),
        [500.0 if index % 10 == 0 else 100.0 for index in range(len(TIMES))],  # peaks
        series(lambda second: 100 - second / 50),
        series(lambda second: 100 + second / 150),  # 3 %
    ],
)
def test_no_leak(values: list[float]) -> None:
    assert verdict("web rss_mb", values).problems == []


@pytest.mark.parametrize(
    ("name", "step"),
    [
        ("submit fds", 8),
        ("beat threads", 4),
        ("postgres connections", 5),
        ("redis clients", 5),
        ("redis keys", 5),
        ("redis_kb", 100),
        ("generations open", 80),
    ],
)
def test_what_has_to_be_flat(name: str, step: float) -> None:
    """A level that rises half-way and stays there; half of the slack is none."""
    risen = series(lambda second: 20 + step * (second > 300))
    assert verdict(name, risen).problems == [f"{name} grew from 20.0 to {20 + step:.1f}"]
    assert verdict(name, series(lambda second: 20 + (second > 300))).problems == []


def test_what_is_only_shown() -> None:
    found = verdict("generation_due kb", series(lambda second: second))
    assert found.problems == []
    assert json.loads(found.line())["slopes_per_hour"] == {}
    assert found.table().splitlines()[-1].split()[:2] == ["generation_due", "kb"]


def test_a_leak_that_begins_late_is_seen() -> None:
    late = series(lambda second: 100 + max(0.0, second - 400) / 5)
    assert verdict("poll rss_mb", late).problems != []


def test_an_unexpected_answer_is_a_problem() -> None:
    assert verdict("web fds", FLAT, **{"GET 500 x": 2}).problems == ["2 times: GET 500 x"]


def test_a_load_that_makes_nothing_proves_nothing() -> None:
    found = judge(TIMES, {"web fds": FLAT}, {AS_EXPECTED: 1}, {"failed": 3, "completed": 1})
    assert found.problems == ["only 1 of 4 generations completed"]
    assert judge(TIMES, {"web fds": FLAT}, {}, {}).problems == ["nothing was ordered"]


def test_the_last_line() -> None:
    shown = json.loads(verdict("web rss_mb", series(lambda second: 100 + second / 50)).line())
    assert shown["slopes_per_hour"] == {"web rss_mb": 72.0}
    assert shown["growth"] == {"web rss_mb": 1.08}
    assert (shown["seconds"], len(shown["problems"])) == (595.0, 1)


def test_the_slope_of_a_line() -> None:
    assert slope([0, 10, 20], [5, 7, 9]) == pytest.approx(0.2)
    assert trend("x fds", TIMES, FLAT).slope == 0
