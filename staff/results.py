"""What a verb of the staff returns to the page that called it."""

from __future__ import annotations

import uuid
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Result:
    """The sentence to show, and on which object's page; None means the verb's target."""

    sentence: str
    page_of: uuid.UUID | None = None
    changed: bool = True  # False: it was so before, or the form was sent twice
