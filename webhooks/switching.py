"""Switching endpoints off and on, and ending the deliveries that wait for one.

The endpoint is locked first everywhere, then its deliveries, without waiting. A delivery that is
being claimed or written back at that moment ends when its worker sees that the endpoint is off.
"""

from __future__ import annotations

import uuid

from django.db import connection, transaction
from django.db.models import QuerySet
from django.db.models.functions import Now

from events.models import DisabledReason, FailedReason, WebhookEndpoint
from webhooks.metrics import DISABLED, ENDED

# A delivery that is under way ends with its own answer.
END = """
UPDATE events_webhookdelivery
   SET state = 'failed', failed_reason = %(reason)s, next_attempt_at = NULL, lease_token = NULL,
       strikes = 0, finished_at = now()
 WHERE id IN (
       SELECT id FROM events_webhookdelivery
        WHERE target = %(endpoint)s AND next_attempt_at IS NOT NULL
          AND (lease_token IS NULL OR next_attempt_at <= now())
        ORDER BY id FOR UPDATE SKIP LOCKED)
"""


def switch_off(endpoint_id: uuid.UUID, reason: DisabledReason | None) -> bool:
    """Send nothing there any more, and let what waits fail; False if it was off already.

    Without a reason it was the customer who did it.
    """
    with transaction.atomic():
        if (
            not _kept(endpoint_id)
            .filter(enabled=True)
            .update(
                enabled=False, disabled_reason=reason or "", disabled_at=Now(), updated_at=Now()
            )
        ):
            return False
        end_pending(endpoint_id, FailedReason.ENDPOINT_DISABLED)
    if reason is not None:
        transaction.on_commit(DISABLED.labels(reason.value).inc)
    return True


def switch_on(endpoint_id: uuid.UUID) -> bool:
    """Send there what ends from now on; False if it was on already. Failed ones stay failed."""
    found = _kept(endpoint_id).filter(enabled=False)
    changes = {"enabled_at": Now(), "updated_at": Now()}
    return bool(found.update(enabled=True, disabled_reason="", disabled_at=None, **changes))


def end_pending(endpoint_id: uuid.UUID, reason: FailedReason) -> int:
    """End all pending deliveries that nobody is sending now; return how many they were.

    Belongs into a transaction.
    """
    with connection.cursor() as cursor:
        cursor.execute(END, {"endpoint": endpoint_id, "reason": reason.value})
        ended: int = cursor.rowcount
    transaction.on_commit(lambda: ENDED.labels(reason.value).inc(ended))
    return ended


def _kept(endpoint_id: uuid.UUID) -> QuerySet[WebhookEndpoint]:
    return WebhookEndpoint.objects.filter(pk=endpoint_id, deleted_at__isnull=True)
