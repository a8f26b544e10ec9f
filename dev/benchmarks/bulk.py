"""Loading millions of rows as the tables' owner, with every constraint checked at the end.

One transaction drops keys, uniqueness and indexes, writes the rows, and builds all of them again
from their own definitions: one pass checks all rows. Triggers and CHECK constraints stay all the
time. What is refused leaves the database as it was.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from psycopg import sql

# Foreign keys last: they need what they point to.
CONSTRAINTS = """
SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid)
  FROM pg_constraint
 WHERE contype IN ('p', 'u', 'f')
   AND (conrelid = ANY(%(tables)s::regclass[])
        OR contype = 'f' AND confrelid = ANY(%(tables)s::regclass[]))
 ORDER BY contype = 'f', conname
"""
INDEXES = """
SELECT indexrelid::regclass::text, pg_get_indexdef(indexrelid)
  FROM pg_index
 WHERE indrelid = ANY(%(tables)s::regclass[])
   AND NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = indexrelid)
 ORDER BY 1
"""


@contextmanager
def without_indexes(connection: psycopg.Connection, tables: list[str]) -> Iterator[None]:
    """Inside, ``tables`` have neither keys nor indexes; afterwards they have all of them again.

    The caller commits, and nobody else reads these tables meanwhile.
    """
    constraints = connection.execute(CONSTRAINTS, {"tables": tables}).fetchall()
    indexes = connection.execute(INDEXES, {"tables": tables}).fetchall()
    # what is deferred to the commit would forbid to change the tables
    connection.execute("SET CONSTRAINTS ALL IMMEDIATE")
    connection.execute("SET LOCAL maintenance_work_mem = '512MB'")
    for table, name, _ in reversed(constraints):
        _run(connection, f"ALTER TABLE {table} DROP CONSTRAINT {{}}", name)
    for name, _ in indexes:
        _run(connection, f"DROP INDEX {name}")
    yield
    for table, name, definition in constraints:
        _run(connection, f"ALTER TABLE {table} ADD CONSTRAINT {{}} {definition}", name)
    for _, definition in indexes:
        _run(connection, definition)


def _run(connection: psycopg.Connection, statement: str, *names: str) -> None:
    """A statement made of the catalog's own words; names are quoted."""
    connection.execute(sql.SQL(statement).format(*map(sql.Identifier, names)))
