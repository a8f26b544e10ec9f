"""`make check` runs it: whether a migration of ours would stop a service that is in use.

django-migration-linter reads the SQL of each migration. Django only writes that on a connection,
and runs a migration's Python meanwhile: so this starts a PostgreSQL of its own, without any of our
tables, for the two seconds that it takes.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import django
from django.conf import settings
from django_migration_linter import MigrationLinter

from dev.embedded.postgres import OWNER, PostgresServer
from tests.support.packages import ROOT, with_migrations


def lint(server: PostgresServer, also: Sequence[str] = ()) -> int:
    """Print what is wrong with which migration; how many are refused.

    ``also`` are modules of apps that the product does not install: a test has some to be refused.
    """
    os.environ |= {"DJANGO_SETTINGS_MODULE": "config.settings", "DEBUG": "1"}
    os.environ |= {"LOG_LEVEL": "WARNING", "LOG_FORMAT": "console"}
    os.environ |= {"DATABASE_URL": server.url(OWNER), "REDIS_URL": "redis://127.0.0.1:9"}
    settings.INSTALLED_APPS = [*settings.INSTALLED_APPS, *also]
    django.setup()
    ours = (*with_migrations(), *(module.rpartition(".")[2] for module in also))
    linter = MigrationLinter(
        str(ROOT), no_cache=True, include_apps=ours, analyser_string="postgresql"
    )
    linter.all_warnings_as_errors = True
    for (app, _), migration in sorted(linter.migration_loader.disk_migrations.items()):
        if app in ours:
            linter.lint_migration(migration)
    print(f"{linter.nb_total} migrations looked at, {linter.nb_erroneous} refused.")
    return linter.nb_erroneous


def main() -> int:
    """The exit code; the arguments are what `lint` looks at, too."""
    folder = Path(tempfile.mkdtemp(prefix="rm-lint-"))
    try:
        with PostgresServer(folder / "pg", folder / "s") as server:
            return min(lint(server, sys.argv[1:]), 1)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
