"""How Django connects to PostgreSQL, directly or through PgBouncer."""

from __future__ import annotations

from typing import Any

from config.env import Env


def databases(env: Env) -> dict[str, dict[str, Any]]:
    """The setting DATABASES; options of ``DATABASE_URL`` win over ours."""
    own = env.database("DATABASE_URL", "postgresql:///reelmint?host=/var/run/postgresql")
    database: dict[str, Any] = {
        **own,
        "CONN_MAX_AGE": env.integer("DATABASE_CONN_MAX_AGE", 600),
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": {
            "connect_timeout": 3,
            # nothing by itself, but what common/statement.py asks for
            "prepare_threshold": 1_000_000_000,
            **own["OPTIONS"],
        },
    }
    if env.flag("PGBOUNCER", False):
        # In transaction mode the next transaction may be another server connection's: what a
        # session prepared or opened is not there. With None psycopg prepares nothing, whatever is
        # asked of it.
        database["OPTIONS"]["prepare_threshold"] = None
        database["DISABLE_SERVER_SIDE_CURSORS"] = True
    return {"default": database}
