"""Django's system check of the ledger's owner."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.core import checks
from django.core.checks import CheckMessage, Tags, register
from django.db import connections

LEDGER = "credits_ledgerentry"


def check_ledger_owner(databases: Sequence[str] | None = None, **_: Any) -> list[CheckMessage]:
    """The owner of a table can disable the trigger that makes it append-only."""
    found: list[CheckMessage] = []
    for alias in databases or ():
        with connections[alias].cursor() as cursor:
            cursor.execute(
                "SELECT pg_has_role(current_user, tableowner::name, 'MEMBER') FROM pg_tables"
                " WHERE tablename = %s AND schemaname = ANY(current_schemas(false))",
                [LEDGER],
            )
            row = cursor.fetchone()
        if row is not None and row[0]:
            found.append(
                checks.Warning(
                    "The service connects to the database as the owner of the ledger.",
                    hint="Run migrations as one role and the service as another one, without "
                    "rights to the tables' definitions; ops/postgres/roles.sql makes both.",
                    id="reelmint.W008",
                )
            )
    return found


def register_all() -> None:
    """Make it part of ``manage.py check --deploy``.

    Not without --deploy: migrate runs the database's checks too, and it has to be the owner.
    """
    register(check_ledger_owner, Tags.database, deploy=True)
