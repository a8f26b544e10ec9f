"""What comments, docstrings and pages name exists: paths, links, sections and decisions.

It asks the files alone, so `make check` runs it without Django and without a database.
"""

from __future__ import annotations

import re
from pathlib import PurePosixPath

import pytest

from tests.support.packages import ROOT
from tests.support.pages import anchors, files, folders, pages, said_by, words

ENDS = "py|md|sql|html|css|js|mjs|json|toml|yml|yaml|lock|sh"
# No URL, no path from the root of a file system, nothing below a variable.
FILE = re.compile(rf"(?<![\w/.:*<>$\-}}])((?:[\w.\-]+/)*[\w\-][\w.\-]*\.(?:{ENDS}))(?![\w/\-*])")
FOLDER = re.compile(r"`((?:\.?[\w\-]+/)+)`")
LINK = re.compile(r"\]\(([^)\s]+)\)")

# Paths on this page are below that folder.
BELOW = {"docs/faults.md": "tests"}
# Not of the repository, and why: made by a command, kept by an operator, or somebody else's.
ELSEWHERE = {
    "docker-compose.override.yml": "the operator's",
    "google.json": "a key of the operator's",
    "prepared/": "within the storage of outputs",
    "secrets/": "the operator's",
    "secrets/google.json": "the operator's",
}
MADE = ("var/", ".venv/")

LIST = r"(\d+(?:(?:,| and| to|, and) \d+)*)"
SECTIONS = (
    re.compile(rf"contract(?:'s|,)? sections? {LIST}"),
    re.compile(rf"sections? {LIST} of the (?:API |HTTP )?contract"),
    re.compile(r"contract, (\d+)\b"),
)
DECISIONS = (re.compile(rf"\b[Dd]ecisions? {LIST}"),)


def missing_paths(name: str, text: str) -> list[str]:
    """Which of the paths that ``text`` of the file ``name`` names do not exist.

    A path is whole, or begins at the file's own folder, or is a template's as Django names it.
    """
    bases = [PurePosixPath(base) for base in ("", BELOW.get(name, ""), "templates")]
    bases.append(PurePosixPath(name).parent)
    found = []
    text = LINK.sub("", text)  # those are looked at by dead_links
    for path in [*FILE.findall(text), *FOLDER.findall(text)]:
        if path in ELSEWHERE or path.startswith(MADE):
            continue
        there = folders() if path.endswith("/") else files()
        if not there & {_joined(base, path) for base in bases}:
            found.append(path)
    return found


def _joined(folder: PurePosixPath, path: str) -> str:
    parts: list[str] = []
    for part in (folder / path).parts:
        if part == ".." and parts:
            parts.pop()
        else:
            parts.append(part)
    return "/".join(parts)


def dead_links(name: str, text: str) -> list[str]:
    """Which links of a page lead to no file, or to no heading in it."""
    found = []
    for link in LINK.findall(text):
        if re.match(r"[a-z]+:|/api/", link):  # elsewhere, or a path of the running service
            continue
        path, _, anchor = link.partition("#")
        target = _joined(PurePosixPath(name).parent, path) if path else name
        if path and target not in files() | folders():
            found.append(link)
            continue
        if anchor and anchor not in anchors((ROOT / target).read_text() if path else text):
            found.append(link)
    return found


def cited(patterns: tuple[re.Pattern[str], ...], text: str) -> set[int]:
    """Every number that is cited; "2 to 5" are four."""
    one_line = " ".join(text.split())
    numbers: set[int] = set()
    for pattern in patterns:
        for listed in pattern.findall(one_line):
            for span in re.split(r",? and |, ", listed):
                first, _, last = span.partition(" to ")
                numbers |= set(range(int(first), int(last or first) + 1))
    return numbers


def numbered(page: str, heading: str) -> list[int]:
    text = (ROOT / "docs" / page).read_text()
    return [int(number) for number in re.findall(rf"^{heading} (\d+)\. ", text, re.MULTILINE)]


def test_every_path_that_is_named_exists() -> None:
    said = words()
    assert len(said) > 500
    missing = {name: missing_paths(name, text) for name, text in said.items()}
    assert {name: paths for name, paths in missing.items() if paths} == {}


def test_every_link_leads_somewhere() -> None:
    dead = {name: dead_links(name, (ROOT / name).read_text()) for name in pages()}
    assert {name: links for name, links in dead.items() if links} == {}


@pytest.mark.parametrize(
    ("patterns", "page", "heading"),
    [(SECTIONS, "api-contract.md", "##"), (DECISIONS, "decisions.md", "###")],
)
def test_every_section_and_decision_that_is_cited_exists(
    patterns: tuple[re.Pattern[str], ...], page: str, heading: str
) -> None:
    there = numbered(page, heading)
    assert there == list(range(1, len(there) + 1))
    by = {name: cited(patterns, text) for name, text in words().items()}
    assert set().union(*by.values()), "nothing is cited any more"
    assert {name: numbers for name, numbers in by.items() if numbers - set(there)} == {}


# --- The looks above find what is wrong -----------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "missing"),
    [
        ("see `generation/lifecycle.py`, work/wake.py and ``lifecycle.py``", []),
        ("see generation/gone.py.", ["generation/gone.py"]),
        ("see ``gone.py`` and `gone.md`", ["gone.py", "gone.md"]),
        ("in `generation/stages/` and `stages/`, not in `generation/gone/`", ["generation/gone/"]),
        ("``stages/submit.py`` is below this one, ``wake.py`` is not", ["wake.py"]),
        ("https://example.com/a/b.html, /etc/c.json, $HOME/d.py, var/run.json, *.md", []),
    ],
)
def test_a_missing_path_is_found(text: str, missing: list[str]) -> None:
    assert missing_paths("generation/creation.py", text) == missing


def test_of_code_comments_and_docstrings_are_read_alone() -> None:
    code = '"""See a/b.py."""\nx = "c/d.py"  # and e/f.py\n\n\ndef g():\n    """Of h/i.py."""\n'
    assert missing_paths("x.py", said_by("x.py", code)) == ["a/b.py", "h/i.py", "e/f.py"]
    assert said_by("x.yml", "a: b.py  # c.py\n") == "c.py"


@pytest.mark.parametrize(
    ("link", "leads"),
    [
        ("decisions.md#17-time-is-a-setting", True),
        ("decisions.md#99-time-is-a-setting", False),
        ("gone.md", False),
        ("../README.md", True),
        ("../ops/kubernetes/", True),
        ("#here-we-are", True),
        ("#elsewhere", False),
        ("https://example.com/#x", True),
    ],
)
def test_a_dead_link_is_found(link: str, leads: bool) -> None:
    text = f"# Here: `we` are\n\n[there]({link})\n"
    assert dead_links("docs/x.md", text) == ([] if leads else [link])


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("(contract, section 6)", {6}),
        ("the contract's section 1; section 5 of the\ncontract", {1, 5}),
        ("Sections 2 to 5 of the contract; (contract, 7)", {2, 3, 4, 5, 7}),
        ("contract, sections 2 and 3", {2, 3}),
        ("RFC 9110, section 14", set()),
    ],
)
def test_what_is_cited_is_read(text: str, numbers: set[int]) -> None:
    assert cited(SECTIONS, text.lower()) == numbers
