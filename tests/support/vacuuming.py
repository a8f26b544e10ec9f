"""Tables as a large, quiet one is read: for tests that count blocks or ask for a plan."""

from __future__ import annotations

import time

import psycopg


def vacuum(admin_connection: psycopg.Connection, table: str) -> None:
    """Until the table's pages are known as visible to all.

    Counts read the index alone then. Autovacuum may be about to analyze the table, and what its
    snapshot may still see is passed over.
    """
    share = "SELECT relallvisible >= 0.9 * relpages FROM pg_class WHERE relname = %s"
    limit = time.monotonic() + 30
    while True:
        admin_connection.execute(f"VACUUM ANALYZE {table}")
        if admin_connection.execute(share, [table]).fetchone() == (True,):
            return
        assert time.monotonic() < limit, "somebody holds a snapshot for half a minute"
        time.sleep(0.2)


def rewrite(admin_connection: psycopg.Connection, table: str) -> None:
    """Without what tests before left in the table's and the indexes' pages."""
    admin_connection.execute(f"VACUUM FULL {table}")
