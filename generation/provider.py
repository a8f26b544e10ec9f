"""The provider as this process talks to it: where, as which project, through which backend."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar, cast

from django.conf import settings

from common import tracing
from generation.backends.base import Reader
from generation.traced_backend import TracedBackend

Backend_co = TypeVar("Backend_co", bound=Reader, covariant=True)


@dataclass(frozen=True, slots=True)
class Provider(Generic[Backend_co]):
    """A backend with the names that a generation keeps of it."""

    backend: Backend_co
    project: str
    location: str


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
    if tracing.ENABLED:
        made = cast("Backend_co", TracedBackend(made))
    return Provider(made, settings.GOOGLE_CLOUD_PROJECT, settings.GOOGLE_CLOUD_LOCATION)
