"""Pages are short, decisions have their form, and invariants are those of the database.

It asks the files alone, so `make check` runs it without Django and without a database.
"""

from __future__ import annotations

import re

import pytest

from tests.support.packages import ROOT, packages

WORDS_OF_A_DECISION = 80
DECISION = re.compile(r"^### (\d+)\. [^\n]+\n(.+?)(?=\n\n#|\Z)", re.MULTILINE | re.DOTALL)
FORM = re.compile(
    r"\d{4}-\d\d-\d\d[^*]*\. \*\*Context:\*\* .+ \*\*Decision:\*\* .+ \*\*Consequence:\*\* .+"
)


def count(text: str) -> int:
    return len(text.split())


def decisions() -> dict[int, str]:
    text = (ROOT / "docs" / "decisions.md").read_text()
    return {int(number): " ".join(said.split()) for number, said in DECISION.findall(text)}


@pytest.mark.parametrize(("page", "most"), [("ARCHITECTURE.md", 1800), ("README.md", 1500)])
def test_a_page_for_everybody_is_short(page: str, most: int) -> None:
    assert count((ROOT / page).read_text()) <= most


def test_each_decision_has_date_context_decision_and_consequence() -> None:
    found = decisions()
    headings = re.findall(r"^### ", (ROOT / "docs" / "decisions.md").read_text(), re.MULTILINE)
    assert len(found) == len(headings)
    assert [number for number, said in found.items() if not FORM.fullmatch(said)] == []


def test_each_decision_is_short() -> None:
    long = {number: count(said) for number, said in decisions().items()}
    assert {number: words for number, words in long.items() if words > WORDS_OF_A_DECISION} == {}


def test_every_invariant_is_held_by_what_is_named() -> None:
    """A constraint or a trigger of some migration, or a command."""
    text = (ROOT / "ARCHITECTURE.md").read_text()
    _, _, rest = text.partition("## Who holds which invariant\n")
    table, _, _ = rest.partition("\n## ")
    named = set(re.findall(r"`([a-z]+_[a-z_]+)`", table))
    assert len(named) > 15
    folders = [ROOT / name for name in packages()]
    written = "".join(
        path.read_text() for folder in folders for path in folder.glob("migrations/*.py")
    )
    commands = {path.stem for folder in folders for path in folder.glob("management/commands/*.py")}
    assert {name for name in named if name not in written} - commands == set()
