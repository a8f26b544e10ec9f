"""What a customer is told of a failure, and what a program is: they never contradict each other."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from generation.models import Generation, reasons

ROOT = Path(__file__).resolve().parent.parent.parent / "generation"
MAKERS = {"fail", "Rejected", "InvalidSourceImage", "columns"}


@pytest.mark.parametrize("what", ["It failed", "It failed.", "m" * 1000, ""])
@pytest.mark.parametrize("retryable", [True, False])
def test_the_sentence_says_what_the_flag_says(what: str, retryable: bool) -> None:
    found = reasons.columns("timeout", what, retryable=retryable)
    limit = Generation._meta.get_field("error_message").max_length
    assert len(found["error_message"]) <= (limit or 0)
    assert found["error_message"].endswith(" Try again later.") == retryable
    assert found["error_retryable"] == retryable


def sentences() -> Iterator[tuple[str, str]]:
    """Every text in a module that makes failures, and where it is; docstrings are not told."""
    for path in sorted(ROOT.rglob("*.py")):
        tree = ast.parse(path.read_text())
        called = {
            getattr(node.func, "attr", getattr(node.func, "id", ""))
            for node in ast.walk(tree)
            if isinstance(node, ast.Call)
        }
        if path.name == "reasons.py" or not called & MAKERS:
            continue
        documents = {
            id(node.body[0].value)
            for node in ast.walk(tree)
            if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
            and isinstance(node.body[0], ast.Expr)
        }
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant) and id(node) not in documents:
                yield str(path.relative_to(ROOT)), str(node.value)


def test_only_one_place_says_that_it_may_be_tried_again() -> None:
    """Whoever makes a failure gives the flag; a sentence of its own could contradict it."""
    found = list(sentences())
    assert {"stages/base.py", "backends/google/safety.py", "lifecycle.py"} <= {
        path for path, _ in found
    }
    assert [each for each in found if "try again" in each[1].lower()] == []
