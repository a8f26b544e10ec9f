"""The source images of an order, from URLs and uploads, as the submit stage reads them.

``source_image_urls`` names URLs, whose images were prepared, and uploads (``upload:<id>``), which
were drawn anew when they came.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence

from django.core.files.storage import default_storage
from django.db.models.functions import Now

from common import ids
from common.errors import NotFound
from generation.backends.base import SourceImage
from generation.inputs import prepared_images
from generation.kinds import JPEG, image_kind
from generation.models import Generation, Upload

SCHEME = "upload:"


class UploadLost(Exception):
    """An upload that was paid for has no file: our fault."""


def upload_id(entry: str) -> uuid.UUID | None:
    """The id in a well-formed reference to an upload; None for any other text."""
    try:
        return ids.parse(entry.removeprefix(SCHEME)) if entry.startswith(SCHEME) else None
    except NotFound:
        return None


def upload_ids(entries: Sequence[str]) -> list[uuid.UUID]:
    """The ids of the uploads that are named, each once."""
    found = [upload_id(entry) for entry in entries]
    return list(dict.fromkeys(each for each in found if each is not None))


def to_fetch(entries: Sequence[str]) -> dict[int, str]:
    """The URLs among the entries, by their index."""
    return {index: e for index, e in enumerate(entries) if not e.startswith(SCHEME)}


def first_unusable(
    account_id: uuid.UUID, entries: Sequence[str], *, expired: bool = False
) -> int | None:
    """The index of the first upload that this account may not use now.

    With ``expired`` an upload that has expired is usable, as long as its file exists.
    """
    named = [index for index, entry in enumerate(entries) if entry.startswith(SCHEME)]
    if not named:
        return None
    rows = Upload.objects.filter(
        pk__in=upload_ids(entries),
        account_id=account_id,
        deleted_at=None,
        expires_at__isnull=False,
    )
    if not expired:
        rows = rows.filter(expires_at__gt=Now())
    usable = set(rows.values_list("pk", flat=True))
    return next((index for index in named if upload_id(entries[index]) not in usable), None)


def keys_of(generation: Generation) -> dict[uuid.UUID, str]:
    """The keys of its uploads in our storage, by their ids."""
    rows = Upload.objects.filter(
        pk__in=upload_ids(generation.source_image_urls), account_id=generation.account_id
    )
    return dict(rows.exclude(key="").values_list("pk", "key"))


def images_of(generation: Generation, keys: Mapping[uuid.UUID, str]) -> tuple[SourceImage, ...]:
    """Its images in their order. ``keys`` is the result of ``keys_of``. Asks no database.

    Raises UploadLost, FileNotFoundError when a prepared one is missing, and OSError.
    """
    return tuple(
        _uploaded(keys, entry) if entry.startswith(SCHEME) else prepared_images.read(generation, n)
        for n, entry in enumerate(generation.source_image_urls)
    )


def _uploaded(keys: Mapping[uuid.UUID, str], entry: str) -> SourceImage:
    found = upload_id(entry)
    if found is None or found not in keys:
        raise UploadLost(f"{entry} has no file")
    try:
        with default_storage.open(keys[found]) as file:
            data: bytes = file.read()
    except FileNotFoundError as error:
        raise UploadLost(f"the file of {entry} is missing in our storage") from error
    kind = image_kind(data) or JPEG  # our own encoder wrote it
    return SourceImage(data, kind.mime_type)
