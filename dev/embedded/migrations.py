"""Brings the database's tables up to date, and skips that when nothing changed."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from importlib.metadata import version

import psycopg

from dev.embedded.paths import CHECKOUT
from dev.embedded.postgres import DATABASE, OWNER, SUPERUSER, PostgresServer
from dev.embedded.services import run_manage


def migrate(environment: Mapping[str, str], owner_url: str) -> None:
    """``manage.py migrate`` as the owner of the tables."""
    run_manage(
        {**environment, "DATABASE_URL": owner_url}, "migrate", "--no-input", "--verbosity", "0"
    )


def migrate_own(environment: Mapping[str, str], server: PostgresServer) -> None:
    """The same for our own server, where the database's comment says what it was migrated to.

    Django takes two seconds to find that there is nothing to do.
    """
    wanted = fingerprint()
    with psycopg.connect(server.url(SUPERUSER, "postgres"), autocommit=True) as connection:
        query = "SELECT shobj_description(oid, 'pg_database') FROM pg_database WHERE datname = %s"
        row = connection.execute(query, (DATABASE,)).fetchone()
        if row is not None and row[0] == wanted:
            return
        migrate(environment, server.url(OWNER))
        connection.execute(f"COMMENT ON DATABASE {DATABASE} IS '{wanted}'".encode())


def fingerprint() -> str:
    """A digest of Django's version, our migrations and the table of roles."""
    digest = hashlib.sha256(version("django").encode())
    for path in sorted([*CHECKOUT.glob("*/migrations/*.py"), CHECKOUT / "staff" / "roles.py"]):
        digest.update(str(path.relative_to(CHECKOUT)).encode() + path.read_bytes())
    return f"migrated {digest.hexdigest()}"
