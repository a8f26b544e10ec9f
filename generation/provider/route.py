"""Where one attempt goes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Route:
    """The names that the rows keep of it, and the backend's own ``place_for``.

    ``remembers``: the provider has to be told to forget it.
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
