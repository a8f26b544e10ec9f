"""The provider as this process talks to it: where, as which project, through which backend."""

from __future__ import annotations

from dataclasses import dataclass

from django.conf import settings

from generation.backends.base import Backend
from generation.backends.vertex import VertexBackend


@dataclass(frozen=True, slots=True)
class Provider:
    """A backend with the names that a generation keeps of it."""

    backend: Backend
    project: str
    location: str


def connect() -> Provider:
    """Make the backend of the settings; belongs to the event loop it is first used in."""
    backend = VertexBackend(
        project=settings.GOOGLE_CLOUD_PROJECT,
        location=settings.GOOGLE_CLOUD_LOCATION,
        bucket=settings.OUTPUT_BUCKET,
        base_url=settings.VERTEX_BASE_URL,
        storage_base_url=settings.STORAGE_BASE_URL,
        submit_timeout=settings.SUBMIT_TIMEOUT,
        read_timeout=settings.READ_TIMEOUT,
        fetch_timeout=settings.FETCH_TIMEOUT,
    )
    return Provider(backend, settings.GOOGLE_CLOUD_PROJECT, settings.GOOGLE_CLOUD_LOCATION)
