"""The report of orphans is held to what the provider bills: nothing missing, nothing wrong."""

from __future__ import annotations

from typing import Any

import pytest

from dev.chaos.orphans import findings

PREFIX = "gs://bucket/g1/1/"
LATE = {"id": "g1", "state": "failed", "output_uri": "", "prefix": PREFIX, "uri": PREFIX + "a.mp4"}


def problems(report: list[dict[str, Any]], *, there: bool = True) -> list[bool]:
    found = findings({"g1"}, {"g1": 1}, report, lambda uri: there)
    return [each.problem is not None for each in found]


def test_a_report_of_what_nobody_got_is_right() -> None:
    assert problems([LATE]) == [False, False]


def test_what_is_missing_is_noticed() -> None:
    assert problems([]) == [True, False]


@pytest.mark.parametrize(
    "changes",
    [
        {"state": "completed", "output_uri": LATE["uri"]},  # delivered
        {"id": "g2"},  # not paid for
        {"uri": "gs://bucket/g2/1/a.mp4"},  # somebody else's
    ],
)
def test_what_is_wrong_is_noticed(changes: dict[str, Any]) -> None:
    assert problems([LATE, LATE | changes])[1]


def test_another_attempts_output_may_be_one() -> None:
    assert (
        problems([LATE | {"state": "completed", "output_uri": "gs://bucket/g1/2/a.mp4"}])[1]
        is False
    )


def test_what_is_not_in_the_bucket_is_noticed() -> None:
    assert problems([LATE], there=False) == [False, True]
