"""Finding a generation for its owner, or those of a page, in one prepared statement."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import datetime

from django.db.models import QuerySet

from accounts import keys
from accounts.arrival import SentSecret
from accounts.authentication import SecretAuthentication
from accounts.models import ApiKey
from common import ids
from common.errors import NotFound
from common.statement import Columns, Row, Statement
from generation.models import CatalogModel, Generation
from generation.models.states import OPEN, PROCESSING, TERMINAL

# What no customer is shown stays where it is.
_SHOWN = Columns(
    Generation,
    "row",
    without=(
        *("created_by", "api_key", "idempotency_key", "request_sha256", "charge", "last_error"),
        *("strikes", "retries", "unknown_until", "backend", "project", "location"),
        *("operation_name", "output_attempt", "output_size", "webhook_url"),
    ),
)
OF_ACCOUNT = Statement(
    "SELECT {shown}, now() FROM generation_generation row"
    " WHERE id = %(id)s::uuid AND account_id = %(account)s::uuid",
    shown=_SHOWN.sql,
)
OF_IDS = Statement(
    "SELECT {shown}, now() FROM generation_generation row WHERE id = ANY(%(ids)s::uuid[])",
    shown=_SHOWN.sql,
)
# One row without a generation when nothing has changed, for the time.
CHANGED = Statement(
    "SELECT clock.now, {shown} FROM (SELECT now() AS now) clock LEFT JOIN ("
    "unnest(%(ids)s::uuid[], %(versions)s::int[]) AS seen (id, version)"
    " JOIN generation_generation row ON row.id = seen.id AND row.version <> seen.version) ON true",
    shown=_SHOWN.sql,
)
WITH_KEY = keys.statement(
    f", {_SHOWN.sql}, now()",
    "LEFT JOIN generation_generation row ON row.id = %(id)s::uuid"
    " AND row.account_id = key.account_id",
)


def of_account(account_id: uuid.UUID, generation_id: uuid.UUID) -> Generation | None:
    """The account's generation, with the database's time as ``now``; None if it is another's."""
    row = OF_ACCOUNT.one({"id": generation_id, "account": account_id})
    return None if row is None else _read(row)


def of_ids(ids: list[uuid.UUID]) -> list[Generation]:
    """The generations of these ids, of any account and in any order; each with its ``now``."""
    return [_read(row) for row in OF_IDS.all({"ids": ids})]


def changed(versions: Mapping[uuid.UUID, int]) -> tuple[datetime, list[Generation]]:
    """The database's time, and those generations whose version has changed since."""
    rows = CHANGED.all({"ids": list(versions), "versions": list(versions.values())})
    now = rows[0][0]
    return now, [_read((*row[1:], now)) for row in rows if row[1] is not None]


class SecretWithGeneration(SecretAuthentication):
    """Finds the secret and the generation that the path names by one statement.

    Each wait for the database costs a request more than it costs the database. Most requests are
    for a status, so these wait only once.
    """

    def look_up(self, secret: SentSecret) -> tuple[ApiKey | None, Generation | None]:
        """The key, and the generation; None if it is not the account's."""
        try:
            generation_id = ids.parse(secret.path["generation_id"])
        except NotFound:
            return keys.find(secret.text, secret.count), None
        return with_key(secret.text, generation_id, secret.count)


def with_key(
    secret: str, generation_id: uuid.UUID, meanwhile: keys.Meanwhile = None
) -> tuple[ApiKey | None, Generation | None]:
    """The secret's key and its account's generation, by the same statement."""
    key, row = keys.find_by(WITH_KEY, secret, {"id": generation_id}, meanwhile)
    if key is None or row[0] is None:
        return key, None
    return key, _read(row)


def filtered(
    rows: QuerySet[Generation], kind: str | None, status: str | None
) -> list[QuerySet[Generation]]:
    """The ``rows`` of a history with filters, in parts that each have an index.

    An index for each filter would cost every create. Generations that have ended are in one by
    state and kind, ``generation_ended_of_account``, which only ends write. Open ones are few, and
    are found by the gate's index (``generation_open_of_model``).
    """
    parts = [
        rows.filter(state=state, kind=each, finished_at__isnull=False)
        for state in TERMINAL
        for each in CatalogModel.Kind.values
        if status in (None, state) and kind in (None, each)
    ]
    if status in (None, PROCESSING):
        kinds = CatalogModel.Kind.values if kind is None else [kind]
        models = CatalogModel.objects.filter(kind__in=kinds)
        open_ones = rows.filter(state__in=OPEN, next_attempt_at__isnull=False)
        parts.append(open_ones.filter(model__in=list(models.values_list("pk", flat=True))))
    return parts


def _read(row: Row) -> Generation:
    found = _SHOWN.read(row[:-1])
    found.now = row[-1]
    return found
