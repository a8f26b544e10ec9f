"""Uploads end: unused ones when they expire, the others with the prompts that used them.

Row first, as with outputs: from the commit that sets ``deleted_at`` nobody can use the upload. Then
the file is deleted, then the key. If the process dies anywhere, the rest is done after its lease.
"""

from __future__ import annotations

import logging
import time
import uuid
from datetime import timedelta

from django.conf import settings
from django.core.files.storage import default_storage
from django.db import connection, transaction
from django.db.models.functions import Now

from common.crash import crash_point
from generation.models import Upload
from generation.models.upload import LIFETIME

logger = logging.getLogger(__name__)

BATCH = 100
LATER = timedelta(minutes=10)  # until a storage that refused is asked again

DUE = """
SELECT id FROM generation_upload
 WHERE (key <> '' OR deleted_at IS NULL) AND next_look_at <= now()
 ORDER BY next_look_at LIMIT %(limit)s FOR UPDATE SKIP LOCKED
"""
# A statement of its own, so that it sees all uses that were committed before the row was locked
# here. An order holds the upload's lock until its commit.
JUDGE = """
UPDATE generation_upload AS upload
   SET deleted_at = CASE WHEN may_go THEN COALESCE(deleted_at, now()) END,
       next_look_at = CASE
           WHEN may_go THEN now() + %(lease)s * interval '1 second'
           ELSE GREATEST(ends_at, now() + interval '1 hour') END
  FROM (
    SELECT id, ends_at,
           deleted_at IS NOT NULL OR (uses > 0 AND prompts = 0) OR (uses = 0 AND ends_at <= now())
               AS may_go
      FROM (
        SELECT each.id, each.deleted_at,
               COALESCE(each.expires_at, each.created_at + %(life)s * interval '1 second')
                   AS ends_at,
               count(generation.id) AS uses,
               count(generation.id) FILTER (WHERE generation.prompt <> '') AS prompts
          FROM generation_upload AS each
          LEFT JOIN generation_uploaduse AS used ON used.upload_id = each.id
          LEFT JOIN generation_generation AS generation ON generation.id = used.generation_id
         WHERE each.id = ANY(%(ids)s) GROUP BY each.id
      ) AS counted
  ) AS judged
 WHERE upload.id = judged.id
RETURNING upload.id, upload.key, upload.deleted_at IS NOT NULL
"""


def remove_ended(seconds: float) -> int:
    """Delete uploads that have ended, for up to ``seconds``; return how many they were."""
    ends, removed = time.monotonic() + seconds, 0
    while time.monotonic() < ends:
        due, ended = _claim()
        crash_point("uploads.after_rows")
        removed += sum(_remove(upload_id, key) for upload_id, key in ended)
        if due < BATCH:
            break
    return removed


def _claim() -> tuple[int, list[tuple[uuid.UUID, str]]]:
    """How many were looked at, and the ids and keys of those that nobody can use any more."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(DUE, {"limit": BATCH})
        ids = [row[0] for row in cursor.fetchall()]
        if not ids:
            return 0, []
        life = LIFETIME.total_seconds()
        cursor.execute(JUDGE, {"ids": ids, "lease": settings.LEASE, "life": life})
        rows = cursor.fetchall()
    return len(ids), [(upload_id, key) for upload_id, key, is_over in rows if is_over]


def _remove(upload_id: uuid.UUID, key: str) -> bool:
    """Delete the file, then its key in the row; of an unused upload, the row as well."""
    row = Upload.objects.filter(pk=upload_id)
    if key:
        try:
            default_storage.delete(key)
        except OSError as error:
            logger.warning("an upload stays for now: %s: %s", type(error).__name__, error)
            row.update(next_look_at=Now() + LATER)
            return False
        crash_point("uploads.after_file")
        row.update(key="")
    row.filter(uses=None).delete()
    return True
