"""That the lint of `make check` can refuse something at all."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from django.apps import apps as django_apps

from tests.support.packages import ROOT


def test_it_refuses_what_would_lock_a_table() -> None:
    """One of an app that is only here for this would, and none of ours."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.support.migration_lint", "tests.support.locking"],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1, done.stderr
    assert "(locking, 0002_locks)... ERR" in done.stdout
    assert "CREATE INDEX locks table" in done.stdout
    assert "NOT NULL constraint on columns" in done.stdout
    assert "(accounts, 0001_initial)... OK" in done.stdout
    assert done.stdout.endswith(" migrations looked at, 1 refused.\n")
    for app in django_apps.get_app_configs():  # no app of ours is left out
        if Path(app.path).parent == ROOT and (Path(app.path) / "migrations").is_dir():
            assert f"({app.label}, 0001_initial)... " in done.stdout
