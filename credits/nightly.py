"""The books are checked once a night, by one of all store workers.

A claim moves ``due_at`` to the end of a lease, like the claim of any other row. So two never run a
check at once, and one whose worker dies is due again after an hour.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

from django.db import connection
from django.db.models.functions import Now

from credits.books import Result
from credits.models import BooksCheck, NightlyCheck

logger = logging.getLogger(__name__)

LEASE = 3600.0  # seconds; ten million entries take half a minute
HOUR = 2  # of the night, UTC

# A check that never ran is due at once: a new service soon shows that its books are looked at.
CLAIM = """
INSERT INTO credits_nightlycheck AS turn (command, due_at)
VALUES (%(command)s, now() + %(lease)s * interval '1 second')
    ON CONFLICT (command) DO UPDATE SET due_at = EXCLUDED.due_at WHERE turn.due_at <= now()
RETURNING command
"""
DONE = """
UPDATE credits_nightlycheck
   SET due_at = (date_trunc('day', now() AT TIME ZONE 'UTC' - hour) + interval '1 day' + hour)
                AT TIME ZONE 'UTC'
  FROM (SELECT %(hour)s * interval '1 hour' AS hour) AS night
 WHERE command = %(command)s
"""


class Stopped(Exception):
    """The process was told to end in the middle of a check, which is due again at once."""


def check(command: str, ask: Callable[[], Result]) -> bool:
    """Run the check of that name if it is due, and keep its result; return whether it ran."""
    if not _claim(command):
        return False
    began = time.monotonic()
    try:
        result = ask()
    except Stopped:
        NightlyCheck.objects.filter(pk=command).update(due_at=Now())
        return False
    keep_result(command, result, time.monotonic() - began)
    with connection.cursor() as cursor:
        cursor.execute(DONE, {"command": command, "hour": HOUR})
    count = len(result.differences)
    level = logging.ERROR if count else logging.INFO
    logger.log(level, "%s found %s differences in %s", command, count, result.seen())
    return True


def keep_result(command: str, result: Result, seconds: float) -> None:
    """Keep that a check was run, by worker or command, for /metrics and operators."""
    BooksCheck.objects.create(
        command=command,
        checked_at=Now(),
        seconds=seconds,
        looked_at=result.counts,
        differences=len(result.differences),
    )


def _claim(command: str) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(CLAIM, {"command": command, "lease": LEASE})
        return cursor.fetchone() is not None
