"""Old mails end: rows that nobody asks for, and texts that emulated mode left."""

from __future__ import annotations

from django.db import connection

from mail import mode

DAYS = 90
BATCH, BATCHES = 1_000, 10  # a pass, so that a stage never waits for it

# The index on created_at finds them; a mail ends within days, so none of these is queued.
# An array is made once. A query behind IN may run anew for each row, and find other rows then.
OLD = """
DELETE FROM mail_mail WHERE id = ANY(ARRAY(
    SELECT id FROM mail_mail
     WHERE created_at < now() - %(days)s * interval '1 day' AND state <> 'queued'
     ORDER BY created_at LIMIT %(batch)s FOR UPDATE SKIP LOCKED))
"""
# After emulated mode the codes and links that it showed are needed no more.
READABLE = """
UPDATE mail_mail SET text = '', html = '' WHERE id = ANY(ARRAY(
    SELECT id FROM mail_mail WHERE emulated AND text <> ''
     LIMIT %(batch)s FOR UPDATE SKIP LOCKED))
"""


def prune() -> int:
    """Do one pass; return how many rows it changed."""
    statements = [OLD] if mode.is_emulated() else [OLD, READABLE]
    return sum(_in_batches(each) for each in statements)


def _in_batches(statement: str) -> int:
    rows = 0
    with connection.cursor() as cursor:
        for _ in range(BATCHES):
            cursor.execute(statement, {"days": DAYS, "batch": BATCH})
            rows += cursor.rowcount
            if cursor.rowcount < BATCH:
                break
    return rows
