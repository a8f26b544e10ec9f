"""Breaking a rule of the database on purpose, and hearing which one it was."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import psycopg
import pytest
from django.db import IntegrityError, connection

DROP = """
    SELECT format('ALTER TABLE %%s DROP CONSTRAINT %%I CASCADE', conrelid::regclass, conname)
      FROM pg_constraint WHERE conname = %(rule)s
    UNION ALL
    SELECT format('DROP TRIGGER %%I ON %%s', tgname, tgrelid::regclass)
      FROM pg_trigger WHERE tgname = %(rule)s AND NOT tgisinternal
"""


@dataclass(frozen=True)
class Breach:
    """A statement that ``rule`` (a constraint, index or trigger) refuses.

    ``raised`` is the name in the error where a trigger shares another one's function. ``without``
    names the constraints and triggers that would refuse it first; they are dropped in a transaction
    that is rolled back, by the owner, who else may TRUNCATE.
    """

    rule: str
    sql: str
    raised: str = ""
    without: tuple[str, ...] = ()
    as_owner: bool = False

    def provoke(self, values: Mapping[str, Any], owner: psycopg.Connection) -> str | None:
        """The name of what refused it."""
        if self.without or self.as_owner:
            return self._provoke_as_owner(values, owner)
        return violated(self.sql, values)

    def _provoke_as_owner(self, values: Mapping[str, Any], owner: psycopg.Connection) -> str | None:
        with owner.transaction(force_rollback=True):
            for rule in self.without:
                found = owner.execute(DROP, {"rule": rule}).fetchone()
                assert found is not None
                owner.execute(found[0])
            with pytest.raises(psycopg.IntegrityError) as caught:
                owner.execute(self.sql, values)
        return caught.value.diag.constraint_name


def violated(sql: str, values: Mapping[str, Any]) -> str | None:
    """The name of the rule that refuses the statement when the application's role sends it."""
    with pytest.raises(IntegrityError) as caught, connection.cursor() as cursor:
        cursor.execute(sql, values)
    cause = caught.value.__cause__
    assert isinstance(cause, psycopg.Error)
    return cause.diag.constraint_name
