"""The one statement that writes an event, in the transaction of what it tells."""

from __future__ import annotations

import uuid
from typing import Any

from django.db import transaction

from common import ids
from common.crash import crash_point
from common.statement import Statement
from events.metrics import EVENTS
from events.models import Type

# The feed's row is locked until the commit, so numbers are in the order of the commits, and a
# rollback leaves no gap. The clock is read behind the lock: times never go back either. What is
# sent to receivers is to be written here as well, from the row that ``event`` returns.
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
    RETURNING sequence
)
SELECT sequence FROM event
"""
)


def announce(account_id: uuid.UUID, generation_id: uuid.UUID, what: Type) -> None:
    """Write the event of an end into its transaction.

    Belongs behind the locks of generation and wallet, everywhere: then nothing deadlocks. A second
    one of the same generation is refused (IntegrityError). One transaction ends one generation.
    """
    values: dict[str, Any] = {"id": ids.new(), "account": account_id, "type": str(what)}
    ANNOUNCE.one(values | {"generation": generation_id})
    crash_point("announce.before_commit")
    transaction.on_commit(EVENTS.labels(str(what)).inc)
