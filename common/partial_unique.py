"""For migrations: a unique constraint becomes a unique index of those rows that have a value.

NULLs never collide, but an ordinary constraint keeps all of them in its index, and each new version
of a row writes one more. Migrations of the past call this: what it does is not to change.
"""

from __future__ import annotations

from django.db.migrations import RunSQL

# One statement, so that there is no moment without one of the two: what these refuse is a payment
# that counts twice. It does nothing when it is run again.
FORWARD = """
DO $$ BEGIN
    IF EXISTS (SELECT FROM pg_constraint WHERE conname = '{old}') THEN
        ALTER TABLE {table} DROP CONSTRAINT {old};
        ALTER INDEX {building} RENAME TO {name};
    END IF;
END $$
"""
BACKWARD = """
DO $$ BEGIN
    IF NOT EXISTS (SELECT FROM pg_constraint WHERE conname = '{old}') THEN
        DROP INDEX {name};
        ALTER TABLE {table} ADD CONSTRAINT {old} UNIQUE USING INDEX {building};
    END IF;
END $$
"""


def swap(table: str, old: str, columns: str, column: str, name: str | None = None) -> RunSQL:
    """Build the index under another name, and let it take the place of the constraint ``old``.

    It holds rows with a ``column`` and is called ``name``, or as the constraint was. Built
    concurrently: the migration is not atomic, and can be run again when it was interrupted.
    """
    name = name or old
    building = f"{name}_new"
    drop = f"DROP INDEX CONCURRENTLY IF EXISTS {building}"
    build = f"CREATE UNIQUE INDEX CONCURRENTLY {building} ON {table} ({columns})"
    names = {"old": old, "name": name, "building": building, "table": table}
    return RunSQL(
        (drop, f"{build} WHERE {column} IS NOT NULL", FORWARD.format(**names), drop),
        (drop, build, BACKWARD.format(**names), drop),
    )
