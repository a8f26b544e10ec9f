"""The provider as this process talks to it: where, as which project, through which backend."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Generic, TypeVar, cast

from django.conf import settings

from generation.backends.base import Reader
from generation.provider.observed import observed
from generation.provider.route import Route

Backend_co = TypeVar("Backend_co", bound=Reader, covariant=True)


@dataclass(frozen=True, slots=True)
class Provider(Generic[Backend_co]):
    """A backend with the names that a generation keeps of it."""

    backend: Backend_co
    project: str
    location: str

    def route(self, model: str) -> Route:
        """Of an attempt that asks for this provider's model."""
        return Route("vertex", self.project, self.location, model, self.backend.place_for)


def connect(backend: Callable[..., Backend_co]) -> Provider[Backend_co]:
    """Make a backend of the settings; it belongs to the event loop it is first used in.

    ``backend`` is VertexBackend, or VertexReader in a process that buys nothing.
    """
    made = backend(
        project=settings.GOOGLE_CLOUD_PROJECT,
        location=settings.GOOGLE_CLOUD_LOCATION,
        bucket=settings.OUTPUT_BUCKET,
        base_url=settings.VERTEX_BASE_URL,
        storage_base_url=settings.STORAGE_BASE_URL,
        submit_timeout=settings.SUBMIT_TIMEOUT,
        read_timeout=settings.READ_TIMEOUT,
        fetch_timeout=settings.FETCH_TIMEOUT,
    )
    seen = cast("Backend_co", observed(made))
    return Provider(seen, settings.GOOGLE_CLOUD_PROJECT, settings.GOOGLE_CLOUD_LOCATION)


@cache
def provider(backend: Callable[..., Backend_co]) -> Provider[Backend_co]:
    """The one of this process; ``backend`` as for connect()."""
    return connect(backend)
