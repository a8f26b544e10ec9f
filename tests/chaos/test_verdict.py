"""What a run is judged by: the last line, and that a run which says little does not pass."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

from chaos.fleet import CRASH_POINTS
from chaos.verdict import Run, Verdict, problems_of


def row(name: str, state: str = "completed", **changes: Any) -> dict[str, Any]:
    error = "timeout" if state == "failed" else ""
    known = {"id": name, "state": state, "kind": "video", "error_code": error}
    return known | {"unknown_attempts": 0, "doubts": 0} | changes


def verdict(rows: list[dict[str, Any]], bought: dict[str, int], **run: Any) -> Verdict:
    known: dict[str, Any] = {"seconds": 10.0, "seed": 1, "drain": 4.0}
    known |= {"faults": Counter({"kill -9 web": 2})}
    known |= {"crashes": Counter({"store.after_put": 1}), "secrets": []}
    return Verdict(Run(**known | run), rows, bought)


def many(count: int = 100) -> list[dict[str, Any]]:
    return [row(f"g{number}") for number in range(count)]


def test_the_last_line() -> None:
    judged = verdict([*many(3), row("f", "failed")], {"g0": 1, "f": 1})
    assert json.loads(judged.line()) == {
        "seconds": 10.0, "seed": 1, "faults": 3, "generations": 4, "completed": 3, "failed": 1,
        "paid_twice": 0, "orphans": 1, "stuck": 0, "violations": 0, "drain_s": 4.0,
    }  # fmt: skip


def test_a_good_run_has_no_problems() -> None:
    assert problems_of(verdict(many(), {"g0": 1})) == []


def test_two_paid_operations_are_noticed() -> None:
    assert "paid twice: 1 videos" in problems_of(verdict(many(), {"g0": 2}))[0]


def test_what_made_no_file_was_not_paid() -> None:
    judged = verdict([*many(), row("f", "failed", unknown_attempts=1)], {"f": 2})
    judged.marked["f"] = "filtered"
    assert problems_of(judged) == []
    assert judged.orphans == []


def test_buying_for_nobody_is_noticed() -> None:
    assert problems_of(verdict(many(), {"stranger": 1})) == ["bought for nobody: stranger"]


def test_a_run_that_delivers_nothing_does_not_pass() -> None:
    failed = [row(f"f{number}", "failed") for number in range(100)]
    assert "only 0.0% of the undisturbed" in problems_of(verdict(failed, {}))[0]


def test_a_run_that_does_not_end_does_not_pass() -> None:
    for drain in (None, 61.0):
        assert problems_of(verdict(many(), {}, drain=drain)) == ["not drained within 60 s"]


def test_a_crash_point_that_was_not_met_does_not_pass() -> None:
    crashes = Counter(dict.fromkeys(CRASH_POINTS, 20))
    del crashes["store.after_put"]
    problems = problems_of(verdict(many(700), {}, seconds=600.0, crashes=crashes))
    assert problems == ["the crash point store.after_put fired 0 times, not 20"]
