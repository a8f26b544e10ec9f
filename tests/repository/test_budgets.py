"""How long, how loud and how forgiving the code may be: product and lab, without their tests.

It asks the files alone, so `make check` runs it without Django and without a database.
"""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.packages import ROOT, packages

LINES_OF_A_FILE = 250
LINES_OF_A_FUNCTION = 60
WORDS_OF_A_DOCSTRING = 5
IGNORES = 18

# Longer reasoning is a decision (docs/decisions.md), cited by its number. Left out are modules that
# are what a reader comes for.
WORDS_OF_A_MODULE = 60
LONG_MODULES = {
    "common/errors.py",  # the tree of all error codes
    "dev/emulator/__init__.py",  # how to start and to steer it
    "dev/stripe/__init__.py",
    "generation/backends/base.py",  # the manual for a new backend
    "generation/backends/google/refusals.py",  # a table: each answer and what it means
}

# A handler of every error hides our own mistakes. Each place has a reason that no other one has.
BROAD_EXCEPTS = {
    "common/surviving.py": 1,  # one row or connection failed, and the others still count
    "common/telemetry/otel.py": 1,  # the message of any error may hold a prompt
}
# Through the first of them any caller could. So each caller and its number of calls is named, too.
SURVIVING = {
    "common/web/alone.py": 1,  # a fault in one connection would end all of the process
    "mail/checks.py": 1,  # a check says what a provider's backend raises; it must not raise it
    "mail/sending.py": 1,  # a provider's library may raise anything, and the mail's row gets it
    "work/run.py": 2,  # one row's fault must not cost the others, nor end the last write-backs
}

# What is to happen later is `next_attempt_at`; a message with a time of its own may be lost.
LATER = re.compile(r"\b(countdown|eta)=|\.retry\(")
LATER_ALLOWED = {"dev/benchmarks/textbook_tasks.py"}  # the textbook that we are compared with

IGNORE = re.compile(r"# *(ruff: )?noqa|# *type: *ignore|# *pragma: *no cover")
# What is ignored, by its code, and why: behind a dash, or behind another # where mypy wants one.
REASONED = re.compile(r"# *(noqa: [A-Z0-9, ]+ --?|type: ignore\[[a-z, -]+\]  #) \w+ \w+")
FUNCTION = (ast.FunctionDef, ast.AsyncFunctionDef)


def files() -> list[Path]:
    """Ours but for the tests; a migration is Django's form and grows with the tables."""
    folders = [ROOT / name for name in (*packages(), "examples")]
    found = [path for folder in folders for path in folder.rglob("*.py")]
    return sorted([*ROOT.glob("*.py"), *(path for path in found if "migrations" not in path.parts)])


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


TREES = {name_of(path): ast.parse(path.read_text()) for path in files()}
IGNORED = {
    f"{name_of(path)}:{number}": line
    for path in files()
    for number, line in enumerate(path.read_text().splitlines(), 1)
    if IGNORE.search(line)
}


def nodes(*kinds: type[ast.AST]) -> Iterator[tuple[str, ast.AST]]:
    for name, tree in TREES.items():
        yield from ((name, node) for node in ast.walk(tree) if isinstance(node, kinds))


def is_broad(handler: ast.ExceptHandler) -> bool:
    caught = handler.type
    types = caught.elts if isinstance(caught, ast.Tuple) else [caught]
    return any(
        each is None or (isinstance(each, ast.Name) and each.id in ("Exception", "BaseException"))
        for each in types
    )


def short_docstrings() -> list[str]:
    found = []
    for name, node in nodes(*FUNCTION, ast.ClassDef):
        assert isinstance(node, (*FUNCTION, ast.ClassDef))
        words = (ast.get_docstring(node) or "").split()
        if 0 < len(words) < WORDS_OF_A_DOCSTRING:
            found.append(f"{name}:{node.lineno} {node.name}")
    return found


def test_there_is_something_to_measure() -> None:
    assert len(TREES) > 300
    assert {"manage.py", "work/run.py", "dev/chaos/__main__.py"} <= set(TREES)


def test_no_file_is_too_long() -> None:
    long = {name_of(path) for path in files() if path.read_text().count("\n") > LINES_OF_A_FILE}
    assert not long


def test_no_function_is_too_long() -> None:
    long = []
    for name, node in nodes(*FUNCTION):
        assert isinstance(node, FUNCTION)
        if (node.end_lineno or 0) - node.lineno + 1 > LINES_OF_A_FUNCTION:
            long.append(f"{name}:{node.lineno} {node.name}")
    assert long == []


def test_no_function_imports() -> None:
    hidden = [
        f"{name}:{node.lineno}"
        for name, function in nodes(*FUNCTION)
        for node in ast.walk(function)
        if isinstance(node, ast.Import | ast.ImportFrom)
    ]
    assert hidden == []


def test_broad_excepts_stand_where_they_are_named() -> None:
    handlers = [
        name
        for name, node in nodes(ast.ExceptHandler)
        if isinstance(node, ast.ExceptHandler) and is_broad(node)
    ]
    assert Counter(handlers) <= Counter(BROAD_EXCEPTS)


def test_callers_that_survive_every_error_are_named() -> None:
    imports = nodes(ast.Import, ast.ImportFrom)
    assert {name for name, node in imports if "surviving" in ast.unparse(node)} == set(SURVIVING)
    calls = [
        name
        for name, node in nodes(ast.Call)
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "surviving"
    ]
    assert Counter(calls) == Counter(SURVIVING)


def test_few_warnings_are_ignored() -> None:
    assert len(IGNORED) <= IGNORES, "\n".join(IGNORED)


def test_each_ignored_warning_has_its_reason_beside_it() -> None:
    assert [place for place, line in IGNORED.items() if not REASONED.search(line)] == []


def test_nothing_is_left_to_a_message_for_later() -> None:
    assert {name_of(path) for path in files() if LATER.search(path.read_text())} == LATER_ALLOWED


def test_no_docstring_repeats_a_name() -> None:
    assert short_docstrings() == []


def test_modules_say_in_few_words_what_they_are() -> None:
    words = {name: (ast.get_docstring(tree) or "").split() for name, tree in TREES.items()}
    assert {name for name in words if len(words[name]) > WORDS_OF_A_MODULE} == LONG_MODULES


@pytest.mark.parametrize(
    ("caught", "broad"),
    [
        ("", True),
        (" Exception", True),
        (" BaseException as error", True),
        (" (OSError, Exception)", True),
        (" OSError", False),
        (" (OSError, ValueError)", False),
    ],
)
def test_it_knows_a_broad_except(caught: str, broad: bool) -> None:
    (statement,) = ast.parse(f"try:\n    pass\nexcept{caught}:\n    pass").body
    assert isinstance(statement, ast.Try)
    assert is_broad(statement.handlers[0]) == broad


@pytest.mark.parametrize(
    ("comment", "reasoned"),
    [
        ("# noqa: S105 - an action", True),
        ("# noqa: S101, S105 -- an action", True),
        ("# type: ignore[misc]  # it has no types", True),
        ("# noqa: S108", False),
        ("# noqa", False),
        ("# noqa - who knows", False),
        ("# noqa: S108 -", False),
        ("# type: ignore[misc]", False),
        ("# type: ignore  # it has no types", False),
        ("# pragma: no cover - why not", False),
    ],
)
def test_it_knows_a_reason(comment: str, reasoned: bool) -> None:
    line = f"found = 1  {comment}"
    assert IGNORE.search(line)
    assert bool(REASONED.search(line)) == reasoned
