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
from pathlib import Path

import django
from django_migration_linter import MigrationLinter

from dev.embedded.postgres import OWNER, PostgresServer
from tests.support.packages import ROOT, with_migrations

# Made before anybody ran the service, so that no table of theirs was in use. None is added here: a
# new migration is written so that it passes (CONTRIBUTING.md), or says why beside its operation
# with the linter's own IgnoreMigration.
BEFORE_ANY_RELEASE = {
    ("accounts", "0001_initial"),
    ("credits", "0001_initial"),
    ("credits", "0002_guards"),
    ("generation", "0001_initial"),
    ("generation", "0002_guards"),
    ("generation", "0003_catalog"),
    ("generation", "0004_gate"),
    ("generation", "0005_orphan_sweep"),
    ("generation", "0006_learned_pace"),
    ("generation", "0007_held_gate"),
}


def lint(server: PostgresServer, everything: bool = False) -> int:
    """Print what is wrong with which migration; how many are refused."""
    os.environ |= {"DJANGO_SETTINGS_MODULE": "config.settings", "DEBUG": "1"}
    os.environ |= {"LOG_LEVEL": "WARNING", "LOG_FORMAT": "console"}
    os.environ |= {"DATABASE_URL": server.url(OWNER), "REDIS_URL": "redis://127.0.0.1:9"}
    django.setup()
    ours = with_migrations()
    linter = MigrationLinter(
        str(ROOT), no_cache=True, include_apps=ours, analyser_string="postgresql"
    )
    linter.ignore_sqlmigrate_errors = everything  # Python of one that asks for its tables
    linter.all_warnings_as_errors = True
    gone = BEFORE_ANY_RELEASE - set(linter.migration_loader.disk_migrations)
    for key, migration in sorted(linter.migration_loader.disk_migrations.items()):
        if key[0] in ours and (everything or key not in BEFORE_ANY_RELEASE):
            linter.lint_migration(migration)
    for app, name in sorted(gone):
        print(f"({app}, {name}) is listed and does not exist")
    print(f"{linter.nb_total} migrations looked at, {linter.nb_erroneous} refused.")
    return linter.nb_erroneous + len(gone)


def main() -> int:
    """The exit code; ``--all`` looks at those that came before a release, too."""
    folder = Path(tempfile.mkdtemp(prefix="rm-lint-"))
    try:
        with PostgresServer(folder / "pg", folder / "s") as server:
            return min(lint(server, "--all" in sys.argv), 1)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
