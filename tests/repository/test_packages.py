"""The import rules know each package: one that is in no contract may import whatever it likes."""

from __future__ import annotations

import re
import tomllib

from tests.support.packages import ROOT, packages

RULES = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]
(FLOORS,) = (each for each in RULES["contracts"] if each["name"].startswith("1 "))


def test_each_package_is_looked_at() -> None:
    assert RULES["root_packages"] == packages()


def test_each_package_stands_on_a_floor() -> None:
    """One in brackets is coming and has no folder yet."""
    named = [name for floor in FLOORS["layers"] for name in re.split(r"\s*[|:]\s*", floor)]
    assert sorted(name for name in named if not name.startswith("(")) == packages()


def test_no_package_that_is_coming_is_there() -> None:
    """Its brackets go as soon as it has a folder."""
    coming = re.findall(r"\((\w+)\)", " ".join(FLOORS["layers"]))
    assert not set(coming) & set(packages())
