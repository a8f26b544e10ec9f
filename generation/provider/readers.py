"""The backends' readers, for processes that buy nothing: none loads google-genai."""

from __future__ import annotations

from functools import cache

from generation.backends.base import Reader
from generation.backends.interactions.reader import InteractionsReader
from generation.backends.vertex.reader import VertexReader
from generation.provider.router import Router

READERS: dict[str, type[Reader]] = {
    "vertex": VertexReader,
    "interactions": InteractionsReader,
}


@cache
def readers() -> Router[Reader]:
    """The ones of this process."""
    return Router(READERS)
