"""What has yet to be written back, and whether PostgreSQL would take it."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any, Generic

from django.db import connection

from work.stage import DATABASE_ERRORS, R


@dataclass(slots=True)
class Unwritten(Generic[R]):
    """A row whose next step failed at the database, and since when."""

    row: R
    outcome: Any
    tries: int = 0
    since: float = field(default_factory=time.monotonic)


def is_away() -> bool:
    """Whether PostgreSQL does not answer; a broken connection is replaced."""
    connection.close_if_unusable_or_obsolete()
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DATABASE_ERRORS:
        return True
    return False


def brief(error: Exception) -> str:
    """One line: what psycopg says may go on with hints and positions."""
    return f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}"
