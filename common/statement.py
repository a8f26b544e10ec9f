"""The few statements that are sent all the time, by requests and by claims of workers.

Constant SQL, prepared once a connection.

The ORM needs a millisecond of CPU to write such a SELECT anew for each request, more than the
database needs to answer it. Everything else is the ORM's.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping
from typing import Any, Generic, Self, TypeVar, cast

import psycopg
from django.db import DEFAULT_DB_ALIAS, InterfaceError, OperationalError, connection
from django.db.models import JSONField, Model
from django.db.models.base import ModelState

Row = tuple[Any, ...]
M = TypeVar("M", bound=Model)


class _PreparingCursor(psycopg.Cursor[Row]):
    """Sends values beside the SQL, where Django's own cursor writes them into it.

    Rows come in PostgreSQL's binary form, whose times psycopg reads in C; Django reads text, and a
    dozen times a row cost more than all else of it. Both are in UTC.
    """

    def execute(self, query: Any, params: Any = None, **_: Any) -> Self:
        """``prepare``: at the first time, unless the settings say never (prepare_threshold)."""
        return super().execute(query, params, prepare=True, binary=True)


def _cursor() -> Any:
    """Django's wrapper of ours; of its own while it notes statements: it reads the text."""
    if connection.queries_logged:
        return connection.cursor()
    connection.ensure_connection()
    own = cast("psycopg.Connection[Row]", connection.connection)
    return connection.make_cursor(cast("Any", _PreparingCursor(own)))


class Statement:
    """Constant SQL with named parameters. The SQL names each type (``::uuid``).

    ``parts`` are constants, too: each ``{name}`` of the SQL is one of them, other braces stay.
    """

    def __init__(self, sql: str, **parts: str) -> None:
        for name, text in parts.items():
            if f"{{{name}}}" not in sql:
                raise ValueError(f"the SQL has no {{{name}}}")
            sql = sql.replace(f"{{{name}}}", text)
        self.sql = sql

    def one(self, values: Mapping[str, Any]) -> Row | None:
        """The first row. Raises Django's database errors."""
        with _cursor() as cursor:
            cursor.execute(self.sql, values)
            row: Row | None = cursor.fetchone()
            return row

    def all(self, values: Mapping[str, Any]) -> list[Row]:
        """Every row. Raises Django's database errors."""
        with _cursor() as cursor:
            cursor.execute(self.sql, values)
            rows: list[Row] = cursor.fetchall()
            return rows

    def first_one(
        self, values: Mapping[str, Any], meanwhile: Callable[[], object] | None = None
    ) -> Row | None:
        """The same of a read that a request begins with: it finds out whether the connection lives.

        A kept connection may have died with its server. Asking it first (``CONN_HEALTH_CHECKS``)
        would be one more round trip of every request; reading again on a new one is one of a
        restart. Within a transaction there is nothing to repeat, and nothing is.

        ``meanwhile`` is called once at most, while the database works. It must not use the database
        and be short: the statement's transaction ends after it.
        """
        kept = connection.connection is not None and not connection.in_atomic_block
        connection.health_check_done = True  # type: ignore[attr-defined]  # not in the stubs
        try:
            return self.one(values) if meanwhile is None else self._one_while(values, meanwhile)
        except (OperationalError, InterfaceError):
            if not kept or connection.is_usable():
                raise
            connection.close()
            return self.one(values)

    def _one_while(self, values: Mapping[str, Any], meanwhile: Callable[[], object]) -> Row | None:
        with _cursor() as cursor:
            own = cast("psycopg.Connection[Row]", connection.connection)
            # The pipeline sends at once and reads at its end. A dead connection is raised there.
            lost = contextlib.suppress(OperationalError)
            with connection.wrap_database_errors, own.pipeline(), lost:
                cursor.execute(self.sql, values)
                meanwhile()
            row: Row | None = cursor.fetchone()
            return row


class Columns(Generic[M]):
    """A model's columns in a SELECT of ours, but for some; those are loaded when asked for."""

    def __init__(self, model: type[M], alias: str, without: tuple[str, ...] = ()) -> None:
        self._model = model
        fields = [field for field in model._meta.concrete_fields if field.name not in without]
        self._names = [field.attname for field in fields]
        # what Django does for a column that PostgreSQL gives as text (JSON)
        self._readers = [
            (field.attname, field.from_db_value)
            for field in fields
            if hasattr(field, "from_db_value")
        ]
        self.sql = ", ".join(
            f"{alias}.{field.column}{'::text' if isinstance(field, JSONField) else ''}"
            for field in fields
        )

    def __len__(self) -> int:
        return len(self._names)

    def read(self, values: Row, **more: Any) -> M:
        """The object of these columns' values; ``more`` are attributes that are no columns."""
        given = dict(zip(self._names, values, strict=True))
        for name, reader in self._readers:
            given[name] = reader(given[name], None, connection)
        # what from_db() does, without signals that nobody listens to and a look at each column
        found = self._model.__new__(self._model)
        found.__dict__ |= given | more
        found._state = ModelState()
        found._state.adding, found._state.db = False, DEFAULT_DB_ALIAS
        return found
