"""Where a generation comes from: the request that made it, as its first event keeps it.

Wake-ups are coalesced and rows are claimed in batches, so a message can carry nothing about one
generation. What is to be known of its request is read from the event that the request wrote.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence

from django.db import connection

from common.telemetry import request_id, tracing

TRACEPARENTS = """
SELECT generation_id, data ->> 'traceparent' FROM generation_generationevent
 WHERE sequence = 1 AND generation_id = ANY(%s)
"""


def of_this_request() -> dict[str, str]:
    """For the first event's ``data``: the request's id, and its trace if there is one."""
    known = {"request_id": request_id.current.get(), "traceparent": tracing.traceparent()}
    return {name: value for name, value in known.items() if value}


def traceparents(ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, str]:
    """The traces that generations began in. If nobody collects traces, nothing is asked."""
    if not ids or not tracing.ENABLED:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(TRACEPARENTS, [list(ids)])
        return {generation_id: parent for generation_id, parent in cursor.fetchall() if parent}
