"""Writing back to a payment that a worker holds: under the row's lock, with the lease checked."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db import connection

from payments.models import Payment

logger = logging.getLogger(__name__)

HAND_BACK = """
UPDATE payments_payment AS row
   SET next_attempt_at = now(), lease_token = NULL, strikes = GREATEST(row.strikes - 1, 0)
  FROM unnest(%(ids)s::uuid[], %(tokens)s::uuid[]) AS held (id, token)
 WHERE row.id = held.id AND row.lease_token = held.token
"""


def lock(claimed: Payment) -> Payment | None:
    """Lock the row and read it anew; None when another worker has the lease by now.

    Belongs into a transaction.
    """
    row = Payment.objects.select_for_update().get(pk=claimed.pk)
    if row.lease_token != claimed.lease_token:
        logger.info("payment %s: another worker holds it", claimed.pk)
        return None
    row.claimed_at = claimed.claimed_at
    return row


def release(
    row: Payment, claimed: Payment, next_attempt_at: datetime | None, **changes: Any
) -> None:
    """Write, and end the lease. A payment that was woken while it was held stays due.

    A wake-up changes ``next_attempt_at``, which was the end of our lease. It may be about something
    that happened after Stripe was asked.
    """
    if row.next_attempt_at == claimed.next_attempt_at:
        changes["next_attempt_at"] = next_attempt_at
    changes |= {"lease_token": None, "strikes": 0}
    Payment.objects.filter(pk=row.pk).update(**changes)


def hand_back(payments: Sequence[Payment]) -> None:
    """Make rows that were claimed in vain due at once, for any worker and without a strike."""
    with connection.cursor() as cursor:
        cursor.execute(
            HAND_BACK,
            {
                "ids": [payment.pk for payment in payments],
                "tokens": [payment.lease_token for payment in payments],
            },
        )


def keep_error(claimed: Payment, detail: str) -> None:
    """Keep what went wrong in our own code; the lease stays and brings the row back."""
    Payment.objects.filter(pk=claimed.pk, lease_token=claimed.lease_token).update(last_error=detail)
