"""docs/faults.md says of each fault which test shows what happens: every name there exists."""

from __future__ import annotations

import ast
import re
import string
from pathlib import Path

import pytest

from tests.support.packages import ROOT, packages

COLUMNS = ["#", "fault", "held by", "the customer sees", "the operator does", "shown by"]
TEST = re.compile(r"`([\w/]+\.py)::(\w+)`")
TARGET = re.compile(r"`make ([\w-]+)`")
POINT = re.compile(r"`([a-z]+\.[a-z_]+)`")
FAULTS = 28  # of the design; two have no test, one void and one not built yet
WITHOUT = {13, 24}


def rows() -> list[list[str]]:
    """The cells of the table."""
    lines = (ROOT / "docs" / "faults.md").read_text().splitlines()
    cells = [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in lines
        if line.startswith("|")
    ]
    return [row for row in cells if row != COLUMNS and set(row[0]) != {"-"}]


def numbered() -> dict[int, str]:
    return {int(row[0]): row[-1] for row in rows() if row[0].isdigit()}


def names_of(path: Path) -> set[str]:
    return {node.name for node in ast.parse(path.read_text()).body if hasattr(node, "name")}


def test_every_fault_has_its_row() -> None:
    assert sorted(numbered()) == list(range(1, FAULTS + 1))
    lettered = [row[0] for row in rows() if not row[0].isdigit()]
    letters = [a + b for a in ("", "a") for b in string.ascii_lowercase]
    assert lettered == letters[: len(lettered)]
    assert len(lettered) > 10
    assert all(len(row) == len(COLUMNS) and all(row) for row in rows())


def test_every_row_names_what_shows_it() -> None:
    for row in rows():
        shown_by = row[-1]
        if row[0].isdigit() and int(row[0]) in WITHOUT:
            assert shown_by == "–"
        else:
            assert TEST.search(shown_by) or POINT.search(shown_by), row


def test_every_named_test_exists() -> None:
    named = {match for row in rows() for match in TEST.findall(row[-1])}
    assert len(named) > FAULTS
    missing = [
        f"{file}::{name}" for file, name in named if name not in names_of(ROOT / "tests" / file)
    ]
    assert missing == []


@pytest.mark.parametrize(("pattern", "found_by"), [(TARGET, "{}:"), (POINT, 'crash_point("{}")')])
def test_every_target_and_crash_point_exists(pattern: re.Pattern[str], found_by: str) -> None:
    named = {match for row in rows() for match in pattern.findall(row[-1])}
    assert named
    text = (ROOT / "Makefile").read_text()
    for folder in packages():
        text += "".join(path.read_text() for path in (ROOT / folder).rglob("*.py"))
    assert [name for name in named if found_by.format(name) not in text] == []
