"""Uploads as rows: begun, kept, and then usable.

The row is written before the file, so that retention finds all that a crash leaves. It is written
even before the body is read, so that the day's limits count uploads that are under way.
"""

from __future__ import annotations

import math
import uuid
from datetime import datetime, timedelta
from typing import IO, Any

from django.conf import settings
from django.core.files.base import File
from django.core.files.storage import default_storage
from django.db import connection, transaction
from django.db.models import Count, Min, Sum
from django.db.models.functions import Now
from django.utils import timezone

from accounts.caller import Caller
from common.crash import crash_point
from common.errors import ApiError, ServiceUnavailable
from generation.inputs.upload_decoding import Picture, redraw
from generation.kinds import JPEG, PNG
from generation.models import Upload
from generation.models.upload import LIFETIME

DAY = timedelta(hours=24)
EXTENSIONS = {kind.mime_type: kind.extension for kind in (PNG, JPEG)}
# Of two uploads of an account at once, only one may be the last of its day.
ONE_AT_A_TIME = "SELECT pg_advisory_xact_lock(hashtextextended('upload-' || %s, 0))"


class UploadLimitReached(ApiError):
    """429: as many uploads, or bytes of them, as an account may send in 24 hours."""

    status_code = 429
    default_code = "upload_limit_reached"

    def __init__(self, what: str, wait: int) -> None:
        super().__init__(
            f"At most {what} in 24 hours, try again later", headers={"Retry-After": str(wait)}
        )


def begin(caller: Caller, told: int) -> Upload:
    """Count an upload of at most ``told`` bytes. Raises UploadLimitReached."""
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(ONE_AT_A_TIME, [str(caller.account_id)])
        _refuse_more_than_a_day(caller.account_id, told)
        return Upload.objects.create(
            account_id=caller.account_id,
            created_by_id=caller.user_id,
            received=told,
            next_look_at=timezone.now() + LIFETIME,
        )


def _refuse_more_than_a_day(account_id: uuid.UUID, told: int) -> None:
    rows = Upload.objects.filter(account_id=account_id, created_at__gt=Now() - DAY)
    day: dict[str, Any] = rows.aggregate(
        count=Count("*"), total=Sum("received", default=0), oldest=Min("created_at")
    )
    what = None
    if day["count"] >= settings.UPLOADS_PER_DAY:
        what = f"{settings.UPLOADS_PER_DAY} uploads"
    elif day["total"] + told > settings.UPLOAD_MB_PER_DAY * 1_000_000:
        what = f"{settings.UPLOAD_MB_PER_DAY} MB of uploads"
    if what is not None:
        raise UploadLimitReached(what, _until_one_leaves(day["oldest"]))


def _until_one_leaves(oldest: datetime | None) -> int:
    left = DAY if oldest is None else oldest + DAY - timezone.now()
    return max(1, math.ceil(left.total_seconds()))


def has_received(upload: Upload, count: int) -> None:
    """Count the bytes that came, in place of those that were told."""
    Upload.objects.filter(pk=upload.pk).update(received=count)


def keep(upload: Upload, picture: Picture) -> Upload:
    """Write the picture into our storage. From then on the upload may be used.

    Raises OSError of the storage, and ServiceUnavailable when retention has given the row up.
    """
    extension = EXTENSIONS[picture.content_type]
    key = f"uploads/{upload.pk.hex[-2:]}/{upload.pk}.{extension}"
    row = Upload.objects.filter(pk=upload.pk, deleted_at=None)
    if not row.update(key=key):
        raise ServiceUnavailable
    crash_point("upload.before_file")
    if default_storage.save(key, File(picture.file)) != key:
        raise OSError("the storage did not keep an upload under its name")
    crash_point("upload.after_file")
    kept = row.update(
        content_type=picture.content_type,
        width=picture.width,
        height=picture.height,
        size=picture.size,
        sha256=picture.sha256,
        expires_at=Now() + LIFETIME,
    )
    if not kept:
        raise ServiceUnavailable
    upload.refresh_from_db()
    return upload


def take(caller: Caller, image: IO[bytes], size: int) -> Upload:
    """Keep an image of ``size`` bytes that was received whole. It counts, even if it is refused.

    Raises UploadLimitReached, and what ``redraw`` and ``keep`` raise.
    """
    upload = begin(caller, size)
    picture = redraw(image, caller.account_id)
    with picture.file:
        return keep(upload, picture)
