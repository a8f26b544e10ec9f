"""A video that an answer carries itself, instead of its place in the bucket."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass

from generation.backends.google.errors import broken


@dataclass(frozen=True, slots=True)
class InlineVideo:
    """The video itself; ``cost`` as in Produced."""

    data: bytes
    cost: str = ""


def inline_video(text: str, cost: str = "") -> InlineVideo:
    """The video that ``text`` is in base64. Raises Rejected."""
    try:
        return InlineVideo(base64.b64decode(text, validate=True), cost)
    except (binascii.Error, ValueError):
        raise broken("video", "an inline video that is not base64") from None
