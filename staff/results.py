"""What a verb of the staff tells the page that called it."""

from __future__ import annotations

import uuid
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Result:
    """The sentence to show; ``page_of`` names the object to show with it, None = the target."""

    sentence: str
    page_of: uuid.UUID | None = None
    changed: bool = True  # False: it was so before, or the same form was sent twice
