"""Prepared source images in our storage, where any submit worker finds them.

A customer's image is fetched and drawn anew in one process, and sent to the provider by another,
maybe on another host. Between the two, and until its generation is over, it lies beside the
outputs, under a prefix that no link leads to.
"""

from __future__ import annotations

import logging
import time
import uuid
from collections.abc import Mapping

from django.conf import settings
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import connection

from generation.backends.base import SourceImage
from generation.kinds import JPEG, image_kind
from generation.models import Generation, PreparedImages

logger = logging.getLogger(__name__)

MOST = 3  # images of an order
BATCH = 100

# What is over, and old enough that no worker can be writing any more.
ENDED = """
WITH ended AS (
    SELECT generation_id FROM generation_preparedimages AS found
      JOIN generation_generation AS row ON row.id = found.generation_id
     WHERE found.next_look_at <= now()
       AND row.finished_at <= now() - %(lease)s * interval '1 second'
     ORDER BY found.next_look_at LIMIT %(limit)s FOR UPDATE OF found SKIP LOCKED
)
UPDATE generation_preparedimages AS prepared
   SET next_look_at = now() + %(lease)s * interval '1 second'
  FROM ended
 WHERE prepared.generation_id = ended.generation_id
RETURNING prepared.generation_id
"""


def remember(generation_id: uuid.UUID) -> None:
    """Write down that there may be files from now on. Called before the first is written."""
    PreparedImages.objects.bulk_create(
        [PreparedImages(generation_id=generation_id)], ignore_conflicts=True
    )


def keep(generation_id: uuid.UUID, images: Mapping[int, SourceImage]) -> None:
    """Write the images by their index, each whole or not at all; twice replaces them.

    Raises OSError.
    """
    for number, image in images.items():
        key = _key(generation_id, number)
        if default_storage.save(key, ContentFile(image.data)) != key:
            raise OSError("the storage did not keep a prepared image under its name")


def remove_ended(seconds: float) -> int:
    """Delete the files of generations that are over, for up to ``seconds``; return of how many.

    If a storage refuses, it is tried again after a lease.
    """
    with connection.cursor() as cursor:
        cursor.execute(ENDED, {"lease": settings.PREPARE_LEASE, "limit": BATCH})
        ended = [generation_id for (generation_id,) in cursor.fetchall()]
    ends, removed = time.monotonic() + seconds, 0
    for generation_id in ended:
        if time.monotonic() >= ends:
            break
        try:
            for number in range(MOST):
                default_storage.delete(_key(generation_id, number))
        except OSError as error:
            logger.warning("prepared images of %s stay for now: %s", generation_id, error)
            continue
        PreparedImages.objects.filter(pk=generation_id).delete()
        removed += 1
    return removed


def read(generation: Generation, number: int) -> SourceImage:
    """The image as it was kept. Raises FileNotFoundError if it is missing, and OSError."""
    with default_storage.open(_key(generation.pk, number)) as file:
        data: bytes = file.read()
    kind = image_kind(data) or JPEG  # our own encoder wrote it
    return SourceImage(data, kind.mime_type)


def _key(generation_id: uuid.UUID, number: int) -> str:
    return f"prepared/{generation_id.hex[-2:]}/{generation_id}.{number}"
