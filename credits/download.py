"""An account's ledger as CSV, newest first as in the API, in files of a bounded length.

A file is made whole, and is shorter than what the web server takes from a view at once (``AHEAD``
of ``common/web/connection.py``): so it is sent at its reader's pace, and no thread waits for that.
"""

from __future__ import annotations

import csv
import io
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from common.statement import Statement
from common.times import with_z
from credits.export import safe
from credits.public import FIELDS

MOST = 4_000  # entries of a file, of 250 bytes at most
MAX_SEQUENCE = 2**63 - 1
# In PostgreSQL's binary form: the ORM takes four times as long to read as many rows. The first
# number bounds what is read however the statement is planned.
READ = Statement(
    "SELECT id::text, sequence, kind, amount, balance_after, generation_id::text, description,"
    " created_at FROM credits_ledgerentry"
    " WHERE wallet_id = %(account)s::uuid AND sequence <= %(last)s::bigint"
    " AND sequence > LEAST(%(last)s::bigint, (SELECT sequence FROM credits_wallet"
    " WHERE account_id = %(account)s::uuid)) - %(most)s::int"
    " ORDER BY sequence DESC LIMIT %(most)s::int"
)


@dataclass(frozen=True, slots=True)
class Part:
    """The numbers of a file's entries, both included."""

    first: int
    last: int


def parts(newest: int) -> Iterator[Part]:
    """All files of a ledger whose newest entry has this number, the newest first.

    Numbers begin with 1 and have no gaps.
    """
    for last in range(newest, 0, -MOST):
        yield Part(max(1, last - MOST + 1), last)


def text(account_id: uuid.UUID, last: int = MAX_SEQUENCE) -> str:
    """The file of the entries up to the number ``last``; without any it is the head alone."""
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    writer.writerow(FIELDS)
    rows = READ.all({"account": account_id, "last": last, "most": MOST})
    writer.writerows(_cells(row) for row in rows)
    return buffer.getvalue()


def _cells(row: tuple[Any, ...]) -> tuple[Any, ...]:
    """The values of the public form. Typed text cannot run as a formula; numbers stay as is."""
    *others, description, created_at = row
    return (*others, safe(description), with_z(created_at))
