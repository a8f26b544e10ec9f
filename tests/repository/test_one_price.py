"""One place reads a model's price: what is charged, shown and quoted cannot differ."""

from __future__ import annotations

import ast

from tests.support.packages import ROOT, packages

PRICING = "generation/offer/pricing.py"


def readers() -> set[str]:
    """The files in which a name that ends in ``model`` is asked for ``price`` or ``prices``."""
    found = set()
    for package in packages():
        for path in (ROOT / package).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.Attribute) and node.attr in ("price", "prices"):
                    owner = ast.unparse(node.value)
                    if owner.endswith(("model", "row")) and "migrations" not in path.parts:
                        found.add(path.relative_to(ROOT).as_posix())
    return found


def test_nothing_else_reads_the_price_of_a_model() -> None:
    assert readers() == {PRICING}
