"""A field that our code adds to a line of the log is one that a line has; others are left out."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from common.telemetry.log_lines import FIELDS
from tests.support.packages import ROOT, packages

LOGS = {"debug", "info", "warning", "error", "exception", "critical", "log"}
ADDS = {"add_fields", "write"}  # of access_log: their keywords are fields
PATHS = sorted(path for name in packages() for path in (ROOT / name).rglob("*.py"))


def added(path: Path) -> Iterator[str]:
    """The names of the fields that a module adds; of what cannot be read, the expression."""
    tree = ast.parse(path.read_text())
    for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call)):
        if not isinstance(call.func, ast.Attribute):
            continue
        if call.func.attr in LOGS:
            for keyword in call.keywords:
                if keyword.arg == "extra":
                    yield from _keys(keyword.value, tree)
        elif ast.unparse(call.func) in {f"access_log.{name}" for name in ADDS}:
            yield from (keyword.arg or ast.unparse(keyword) for keyword in call.keywords)


def _keys(value: ast.expr, tree: ast.Module) -> Iterator[str]:
    """Of a dictionary, or of all that the module puts into the variable of that name."""
    if isinstance(value, ast.Name):
        puts = (ast.Assign, ast.AnnAssign, ast.AugAssign)
        for node in (node for node in ast.walk(tree) if isinstance(node, puts)):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            if value.id in {ast.unparse(target) for target in targets}:
                assert node.value is not None
                yield from _keys(node.value, tree) if isinstance(node.value, ast.Dict) else ()
    elif isinstance(value, ast.Dict):
        for key in value.keys:
            if key is not None:  # **fields, which came by a keyword
                yield ast.literal_eval(key)
    else:
        yield ast.unparse(value)


def test_no_field_is_added_that_would_be_left_out() -> None:
    found = {(path.relative_to(ROOT).as_posix(), name) for path in PATHS for name in added(path)}
    assert ("generation/transitions.py", "wait_s") in found
    assert ("console/pages/billing.py", "payment_id") in found
    assert ("webhooks/waiter/application.py", "reason") in found
    assert sorted((path, name) for path, name in found if name not in FIELDS) == []


def test_what_a_worker_binds_for_a_row_is_documented() -> None:
    nouns = {
        str(node.value.value)
        for path in PATHS
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Assign)
        and ast.unparse(node.targets[0]) == "noun"
        and isinstance(node.value, ast.Constant)
    }
    assert {"generation", "payment", "mail", "delivery"} <= nouns
    assert {f"{noun}_id" for noun in nouns} <= set(FIELDS)
