"""The whole backends, for the process that buys. They load google-genai."""

from __future__ import annotations

from functools import cache

from generation.backends.base import Backend
from generation.backends.interactions.backend import InteractionsBackend
from generation.backends.vertex.backend import VertexBackend
from generation.provider.router import Router

BUYERS: dict[str, type[Backend]] = {
    "vertex": VertexBackend,
    "interactions": InteractionsBackend,
}


@cache
def buyers() -> Router[Backend]:
    """The ones of this process."""
    return Router(BUYERS)
