"""Which packages of this repository are ours, read from the folders so that none can be missing."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent


def packages() -> list[str]:
    """The names of the packages beside this one: the product's, and the programs around it."""
    found = {path.parent.name for path in ROOT.glob("*/__init__.py")}
    return sorted(found - {"tests"})


def with_migrations() -> tuple[str, ...]:
    """The names of the apps that have tables."""
    return tuple(name for name in packages() if (ROOT / name / "migrations").is_dir())
