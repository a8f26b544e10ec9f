"""Nothing of ours draws from the generator that the whole process shares.

Hypothesis calls a strategy unreliable when that generator moved meanwhile, whichever thread did it.
Threads of libraries do (psycopg's pool and redis add jitter), so its warning is ignored
(``filterwarnings`` in ``pyproject.toml``), and that no strategy of ours does is held here.
"""

from __future__ import annotations

import ast
from pathlib import Path

from tests.support.packages import ROOT, packages

OWN = {"Random", "SystemRandom"}
ALONE = ("dev/chaos", "dev/soak", "dev/benchmarks")  # in processes without tests


def draws(path: Path) -> list[str]:
    """The calls of the module's own functions in a file."""
    return [
        f"{path.relative_to(ROOT)}:{node.lineno} random.{node.attr}"
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and node.value.id == "random"
        and node.attr not in OWN
    ]


def test_every_use_of_random_has_a_generator_of_its_own() -> None:
    files = [
        path
        for package in (*packages(), "tests")
        for path in (ROOT / package).rglob("*.py")
        if not path.relative_to(ROOT).as_posix().startswith(ALONE)
    ]
    assert [use for path in files for use in draws(path)] == []
