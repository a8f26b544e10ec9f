"""Where a new attempt goes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Route:
    """Where a new attempt goes. Its names are kept by the rows; ``place_for`` is the backend's.

    ``remembers``: the provider has to be told to forget the attempt.
    """

    backend: str
    project: str
    location: str
    model: str  # the provider's id
    place_for: Callable[[str, int], str]
    remembers: bool = False

    @property
    def names(self) -> dict[str, Any]:
        """As columns of a generation and of an attempt."""
        return {
            "backend": self.backend,
            "project": self.project,
            "location": self.location,
            "provider_model": self.model,
        }
