"""Reading an account's log of ends, by its numbers: what it costs does not grow with the log."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from common.statement import Columns, Statement
from events.models import Event

_EVENT = Columns(Event, "event")
# The place that is asked for, then what lies behind it: one row without an event when that is
# nothing, and a place of NULL when it is none of the account's.
_AFTER = """
SELECT place.sequence, {event}
  FROM (SELECT CASE WHEN %(after)s::uuid IS NULL THEN 0 ELSE (
                   SELECT sequence FROM events_event
                    WHERE id = %(after)s::uuid AND account_id = %(account)s::uuid) END AS sequence
       ) AS place
  LEFT JOIN LATERAL (
       SELECT * FROM events_event
        WHERE account_id = %(account)s::uuid AND {beyond} LIMIT %(most)s::int
       ) AS event ON true
 ORDER BY event.sequence
"""
AFTER = Statement(_AFTER, event=_EVENT.sql, beyond="sequence > place.sequence ORDER BY sequence")
# The pair finds its place in the index of types. To the planner "=" would say that the type does
# not matter for the order, and that the other index with a filter, which may read all, does, too.
AFTER_OF_TYPE = Statement(
    _AFTER,
    event=_EVENT.sql,
    beyond="(type, sequence) > (%(type)s::text, place.sequence) AND type <= %(type)s::text"
    " ORDER BY type, sequence",
)
NEWEST = Statement(
    "SELECT {event} FROM events_event event WHERE account_id = %(account)s::uuid"
    " AND sequence IS NOT NULL ORDER BY sequence DESC LIMIT 1",
    event=_EVENT.sql,
)


@dataclass(frozen=True, slots=True)
class Page:
    """Events, oldest first, and whether there are more."""

    events: list[Event]
    has_more: bool


def newest(account_id: uuid.UUID) -> uuid.UUID | None:
    """The account's newest event that is kept."""
    row = NEWEST.one({"account": account_id})
    return None if row is None else _EVENT.read(row).pk


def behind(
    account_id: uuid.UUID, after: uuid.UUID | None, limit: int, what: str | None
) -> Page | None:
    """What was committed after an event, or all; None when it is no event of the account."""
    statement = AFTER if what is None else AFTER_OF_TYPE
    values = {"account": account_id, "after": after, "most": limit + 1, "type": what}
    rows = statement.all(values)
    if rows[0][0] is None:
        return None
    found = [_EVENT.read(row[1:]) for row in rows if row[1] is not None]
    return Page(found[:limit], len(found) > limit)
