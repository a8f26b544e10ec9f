"""Where one attempt goes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Route:
    """The names that the rows keep of it, and the backend's own ``place_for``."""

    backend: str
    project: str
    location: str
    model: str  # the provider's id
    place_for: Callable[[str, int], str]
