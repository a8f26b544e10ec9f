"""Reading an account's log of ends by its numbers, at a cost that does not grow with the log."""

from __future__ import annotations

import bisect
import uuid
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from common.statement import Columns, Statement
from events.models import Event, WebhookEndpoint

_EVENT = Columns(Event, "event")
# The place that is asked for, joined with the events behind it. If there are none, one row without
# an event comes back; if the event is none of the account's, its place is NULL.
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
# The comparison of pairs uses the index of types. With "=" the planner would see that the type does
# not change the order, and might take the index without it and filter, which may read all rows.
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
BOUNDS = Statement(
    "SELECT min(sequence), max(sequence) FROM events_event WHERE account_id = %(account)s::uuid"
)
MADE_AT = Statement(
    "SELECT created_at FROM events_event WHERE account_id = %(account)s::uuid"
    " AND sequence >= %(sequence)s::bigint ORDER BY sequence LIMIT 1"
)
WITHOUT_DELIVERY = Statement(
    """
SELECT {event} FROM events_event event
 WHERE account_id = %(account)s::uuid AND sequence >= %(first)s::bigint
   AND sequence < %(end)s::bigint AND type = ANY(%(types)s::text[])
   AND NOT EXISTS (SELECT FROM events_webhookdelivery sent
                    WHERE sent.event_id = event.id AND sent.endpoint_id = %(endpoint)s::uuid)
 ORDER BY sequence LIMIT %(most)s::int
""",
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
    """The events committed after one, or from the first. None if it is none of the account's."""
    statement = AFTER if what is None else AFTER_OF_TYPE
    values = {"account": account_id, "after": after, "most": limit + 1, "type": what}
    rows = statement.all(values)
    if rows[0][0] is None:
        return None
    found = [_EVENT.read(row[1:]) for row in rows if row[1] is not None]
    return Page(found[:limit], len(found) > limit)


def without_delivery(
    endpoint: WebhookEndpoint, types: Collection[str], time: tuple[datetime, datetime], most: int
) -> list[Event]:
    """The account's oldest events of these types and that time without a delivery to it."""
    begins, ends = time
    account = endpoint.account_id
    values = {
        "account": account,
        "endpoint": endpoint.pk,
        "first": _first(account, begins),
        "end": _first(account, ends, behind=True),
        "types": list(types),
        "most": most,
    }
    return [_EVENT.read(row) for row in WITHOUT_DELIVERY.all(values)]


def _first(account_id: uuid.UUID, moment: datetime, behind: bool = False) -> int:
    """The number of the account's first event at ``moment`` or later; if ``behind``, only later.

    No index has the times, but they rise with the numbers: some twenty looks find the place.
    """
    bounds = BOUNDS.one({"account": account_id})
    if bounds is None or bounds[0] is None:
        return 0
    oldest, newest = bounds

    def made_at(sequence: int) -> datetime:
        row = MADE_AT.one({"account": account_id, "sequence": sequence})
        return moment if row is None else row[0]

    find = bisect.bisect_right if behind else bisect.bisect_left
    return int(oldest + find(range(oldest, newest + 1), moment, key=made_at))
