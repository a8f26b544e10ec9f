"""Writing back to a mail, if the worker still holds it. A mail that has ended has no text."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db import connection
from django.db.models import F
from django.db.models.functions import Now

from mail import metrics
from mail.models import Mail, State

logger = logging.getLogger(__name__)

HAND_BACK = """
UPDATE mail_mail AS row
   SET next_attempt_at = now(), lease_token = NULL, strikes = GREATEST(row.strikes - 1, 0)
  FROM unnest(%(ids)s::uuid[], %(tokens)s::uuid[]) AS held (id, token)
 WHERE row.id = held.id AND row.lease_token = held.token
"""
EMPTY = {"text": "", "html": ""}


def sent(mail: Mail) -> None:
    """Write that the server took it, and delete its text."""
    if _write(mail, state=State.SENT, sent_at=Now(), last_error="", **_over(), **EMPTY):
        metrics.ENDED.labels("sent").inc()


def shown(mail: Mail) -> None:
    """Write that it is in the mailbox of emulated mode, where it stays readable."""
    if _write(mail, state=State.SENT, sent_at=Now(), emulated=True, **_over()):
        metrics.ENDED.labels("sent").inc()


def failed(mail: Mail, end: metrics.End, reason: str) -> None:
    """Write that it never goes out, and delete its text."""
    if _write(mail, state=State.FAILED, last_error=reason, **_over(), **EMPTY):
        metrics.ENDED.labels(end).inc()
        # why is in the row: servers quote addresses
        logger.warning("mail %s (%s) was not sent: %s", mail.pk, mail.kind, end)


def later(mail: Mail, at: datetime, reason: str) -> None:
    """Try once more at that time."""
    changes = {"next_attempt_at": at, "tries": F("tries") + 1, "last_error": reason}
    _write(mail, lease_token=None, strikes=0, **changes)


def keep_error(mail: Mail, detail: str) -> None:
    """Keep what went wrong in our own code; the lease stays and brings the row back."""
    Mail.objects.filter(pk=mail.pk, lease_token=mail.lease_token).update(last_error=detail)


def hand_back(mails: Sequence[Mail]) -> None:
    """Make rows that were claimed in vain due at once, for any worker and without a strike."""
    with connection.cursor() as cursor:
        tokens = [mail.lease_token for mail in mails]
        cursor.execute(HAND_BACK, {"ids": [mail.pk for mail in mails], "tokens": tokens})


def _over() -> dict[str, Any]:
    return {"next_attempt_at": None, "lease_token": None, "strikes": 0}


def _write(mail: Mail, **changes: Any) -> bool:
    """Write it; False if the lease was not ours any more."""
    held = Mail.objects.filter(pk=mail.pk, lease_token=mail.lease_token, state=State.QUEUED)
    if held.update(**changes):
        return True
    logger.info("mail %s: another worker holds it", mail.pk)
    return False
