"""The kinds of files that the provider makes and we deliver."""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class FileKind:
    """``format`` is Pillow's name for it, ``signature`` what the file begins with."""

    mime_type: str
    extension: str
    format: str = ""
    signature: re.Pattern[bytes] | None = None


MP4 = FileKind("video/mp4", "mp4")
PNG = FileKind("image/png", "png", "PNG", re.compile(rb"\x89PNG\r\n\x1a\n"))
JPEG = FileKind("image/jpeg", "jpg", "JPEG", re.compile(rb"\xff\xd8\xff"))
WEBP = FileKind("image/webp", "webp", "WEBP", re.compile(rb"RIFF.{4}WEBP", re.DOTALL))

IMAGES = (PNG, JPEG, WEBP)
FILES = (MP4, *IMAGES)
BY_EXTENSION = {kind.extension: kind for kind in FILES}
BY_FORMAT = {kind.format: kind for kind in IMAGES}


def image_kind(data: bytes) -> FileKind | None:
    """The kind, from the first bytes; None if it is no image that can be delivered."""
    for kind in IMAGES:
        if kind.signature is not None and kind.signature.match(data):
            return kind
    return None
