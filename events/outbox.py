"""The one statement that writes an event and its deliveries, in the transaction of the end."""

from __future__ import annotations

import uuid
from typing import Any

from django.db import transaction

from common import ids
from common.crash import crash_point
from common.statement import Statement
from events.metrics import EVENTS
from events.models import EVERY_TYPE, Type

# The feed's row is locked until the commit, so numbers are in the order of the commits, and a
# rollback leaves no gap. The clock is read behind the lock: times never go back either.
# Endpoints are those that were on when the statement began. One that is switched off meanwhile may
# get a delivery, which ends when its worker sees that (webhooks/switching.py).
# A delivery's id begins with the moment and the version of its event's, and is random behind them.
ANNOUNCE = Statement(
    """
WITH next AS (
    INSERT INTO events_feed AS feed (account_id, last_sequence) VALUES (%(account)s::uuid, 1)
    ON CONFLICT (account_id) DO UPDATE SET last_sequence = feed.last_sequence + 1
    RETURNING last_sequence
), event AS (
    INSERT INTO events_event (id, account_id, sequence, type, generation_id, created_at)
    SELECT %(id)s::uuid, %(account)s::uuid, last_sequence, %(type)s::text, %(generation)s::uuid,
           clock_timestamp()
      FROM next
    RETURNING id, account_id, type, created_at
), receiver AS (
    SELECT id AS endpoint, NULL::text AS url FROM events_webhookendpoint
     WHERE account_id = %(account)s::uuid AND deleted_at IS NULL AND enabled
       AND event_types && ARRAY[%(type)s::varchar, %(every)s::varchar]
     UNION ALL
    SELECT NULL, %(url)s::text WHERE %(url)s::text IS NOT NULL
), delivery AS (
    INSERT INTO events_webhookdelivery
        (id, event_id, account_id, endpoint_id, url, target, type, state, failed_reason,
         last_error, next_attempt_at, created_at)
    SELECT (left(event.id::text, 15) || substr(gen_random_uuid()::text, 16))::uuid, event.id,
           event.account_id, endpoint, url, COALESCE(endpoint, event.account_id), event.type,
           'pending', '', '', event.created_at, event.created_at
      FROM event CROSS JOIN receiver
    RETURNING id
)
SELECT count(*) FROM delivery
"""
)


def announce(
    account_id: uuid.UUID, generation_id: uuid.UUID, what: Type, webhook_url: str | None
) -> bool:
    """Write the event of an end and its deliveries, in the transaction of that end.

    Deliveries go to the account's endpoints of that type, and to the order's ``webhook_url``. True
    if there is one.
    Call it after generation and wallet were locked: then nothing deadlocks. A second event of the
    same generation raises IntegrityError. One transaction ends one generation.
    """
    values: dict[str, Any] = {"id": ids.new(), "account": account_id, "type": str(what)}
    values |= {"generation": generation_id, "url": webhook_url, "every": EVERY_TYPE}
    row = ANNOUNCE.one(values)
    crash_point("announce.before_commit")
    transaction.on_commit(EVENTS.labels(str(what)).inc)
    return row is not None and row[0] > 0
