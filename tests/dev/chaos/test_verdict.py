"""What a run is judged by: the last line, and that a run which says little does not pass."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

import pytest

from dev.chaos.book import Book
from dev.chaos.fleet import CRASH_POINTS
from dev.chaos.invariants import Finding
from dev.chaos.money import LOST, Till
from dev.chaos.receipts import Receipts
from dev.chaos.report import table
from dev.chaos.verdict import Bought, Run, Verdict, owed, problems_of
from dev.chaos.witness import Hits, Overtaken


def row(name: str, state: str = "completed", **changes: Any) -> dict[str, Any]:
    error = "timeout" if state == "failed" else ""
    known = {"id": name, "state": state, "kind": "video", "error_code": error, "last_error": ""}
    return known | {"doubts": 0} | changes


def verdict(
    rows: list[dict[str, Any]],
    accepted: dict[str, int] | None = None,
    billed: dict[str, int] | None = None,
    **run: Any,
) -> Verdict:
    """``billed`` is what was accepted unless it is given."""
    known: dict[str, Any] = {"seconds": 10.0, "seed": 1, "drain": 4.0}
    known |= {"faults": Counter({"kill -9 web": 5})}
    known |= {"crashes": Counter({"store.after_put": 1}), "secrets": []}
    accepted = accepted or {}
    bought = Bought(accepted, accepted if billed is None else billed)
    payment = {"state": "paid", "given": 500, "taken_back": 0, "by_operator": False}
    known |= run
    till = Till([payment] * (3 if known["seconds"] < 60 else 200), {})
    return Verdict(Run(**known), rows, bought, till=till)


def many(count: int = 100) -> list[dict[str, Any]]:
    return [row(f"g{number}") for number in range(count)]


def failed(count: int, **changes: Any) -> list[dict[str, Any]]:
    return [row(f"f{number}", "failed", **changes) for number in range(count)]


def test_the_last_line() -> None:
    judged = verdict([*many(3), *failed(1)], {"g0": 1, "f0": 1})
    assert json.loads(judged.line()) == {
        "seconds": 10.0, "seed": 1, "faults": 6, "generations": 4, "completed": 3, "failed": 1,
        "paid_twice": 0, "orphans": 1, "stuck": 0,
        "payments": 3, "paid": 3, "credited_twice": 0, "lost": 0, "taken_not_given": 0,
        "violations": 0, "drain_s": 4.0,
    }  # fmt: skip


def test_a_good_run_has_no_problems() -> None:
    assert problems_of(verdict(many(), {"g0": 1})) == []


@pytest.mark.parametrize("kind", ["video", "image"])
def test_two_billed_operations_are_noticed_of_videos_and_images_alike(kind: str) -> None:
    judged = verdict([row("twice", kind=kind, doubts=1), *many()], {"twice": 2})
    assert problems_of(judged)[0] == "paid twice: 1 generations, such as twice"


def test_a_video_may_be_asked_for_again_when_the_first_made_no_file() -> None:
    judged = verdict([row("again", doubts=1), *many()], {"again": 2}, {"again": 1})
    assert problems_of(judged) == []
    assert judged.bought.asked_twice == ["again"]


@pytest.mark.parametrize(
    ("changes", "times"), [({"kind": "image", "doubts": 1}, 2), ({}, 2), ({"doubts": 1}, 3)]
)
def test_nothing_else_may_be_asked_for_again(changes: dict[str, Any], times: int) -> None:
    judged = verdict([row("again", **changes), *many()], {"again": times}, {})
    assert f"again was asked for {times} times" in problems_of(judged)[0]


def test_what_made_no_file_is_no_orphan() -> None:
    judged = verdict([*many(), *failed(3)], {f"f{n}": 1 for n in range(3)}, {"f0": 1, "f1": 1})
    judged.marked["f1"] = "truncated=file"  # billed, but not whole
    judged.rows[-3]["kind"] = "image"
    assert (judged.orphans, judged.lost_images) == ([], ["f0"])


def test_buying_for_nobody_is_noticed() -> None:
    assert problems_of(verdict(many(), {"stranger": 1})) == ["bought for nobody: stranger"]


def test_a_run_that_delivers_nothing_does_not_pass() -> None:
    assert "only 0.0% of the 100 undisturbed" in problems_of(verdict(failed(100)))[0]


def test_only_a_fault_excuses() -> None:
    rows = [*many(), *failed(10, doubts=1)]
    slow = Overtaken("f0", 12, 1.0, 2.0)
    unexplained = verdict(rows, hits=Hits(frozenset(), (slow,)))
    assert "only 90.9% of the 110 undisturbed" in problems_of(unexplained)[0]
    names = frozenset(each["id"] for each in rows[-10:])
    assert problems_of(verdict(rows, hits=Hits(names))) == []
    marked = verdict(rows)
    marked.marked = dict.fromkeys(names, "busy=1")
    assert problems_of(marked) == []


def test_faults_do_not_excuse_everything() -> None:
    rows = [*many(), *failed(20)]
    names = frozenset(each["id"] for each in rows[-20:])
    problems = problems_of(verdict(rows, hits=Hits(names)))
    assert problems == ["only 83.3% of the 120 unmarked generations were completed"]


def test_a_run_that_does_not_end_does_not_pass() -> None:
    for drain in (None, 61.0):
        assert problems_of(verdict(many(), drain=drain)) == ["not drained within 60 s"]


def test_a_crash_point_that_was_not_met_does_not_pass() -> None:
    crashes = Counter(dict.fromkeys(CRASH_POINTS, 20))
    crashes["store.after_put"] = 19
    faults = Counter({"kill -9 web": 300})
    judged = verdict(many(700), seconds=600.0, crashes=crashes, faults=faults)
    assert problems_of(judged) == ["the crash point store.after_put fired 19 times, not 20"]


def test_a_run_with_a_focus_owes_the_crash_points_of_its_stage() -> None:
    crashes = Counter({"deliver.after_claim": 2, "deliver.after_answer": 1})
    assert owed(crashes, 60.0, "deliver") == ["deliver.after_answer"]
    assert "store.after_put" in owed(crashes, 60.0)


def test_a_run_without_faults_or_generations_does_not_pass() -> None:
    assert problems_of(verdict(many(), faults=Counter())) == ["only 1 faults in 10 s"]
    assert problems_of(verdict(many(3))) == ["only 3 generations in 10 s"]


def test_a_run_without_payments_does_not_pass() -> None:
    judged = verdict(many())
    judged.till = Till([], {})
    assert problems_of(judged) == ["only 0 payments in 10 s"]


def test_lost_money_is_in_the_last_line() -> None:
    judged = verdict(many())
    judged.findings = [Finding(LOST, 3, ["p1", "p2"])]
    assert json.loads(judged.line())["lost"] == 2


def test_a_finding_that_does_not_hold_is_a_problem_and_all_are_shown() -> None:
    judged = verdict(many())
    judged.findings = [Finding("I1 holds", 7), Finding("I2 holds", 8, ["g3"])]
    assert problems_of(judged) == ["I2 holds: not so 1 times, such as g3"]
    lines = [" ".join(line.split()) for line in table(judged, Book(), Receipts()).splitlines()]
    assert "I1 holds 7" in lines
    assert "I2 holds 8 NOT SO" in lines
