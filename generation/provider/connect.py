"""Makes a backend with the settings' location, project and limits."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar, cast

from django.conf import settings

from generation.backends.base import Reader
from generation.provider.observed import observed

Backend_co = TypeVar("Backend_co", bound=Reader, covariant=True)


def connect(backend: Callable[..., Backend_co], location: str) -> Backend_co:
    """Make a backend of the settings; it belongs to the event loop it is first used in."""
    made = backend(
        project=settings.GOOGLE_CLOUD_PROJECT,
        location=location,
        bucket=settings.OUTPUT_BUCKET,
        base_url=settings.VERTEX_BASE_URL,
        storage_base_url=settings.STORAGE_BASE_URL,
        submit_timeout=settings.SUBMIT_TIMEOUT,
        read_timeout=settings.READ_TIMEOUT,
        fetch_timeout=settings.FETCH_TIMEOUT,
    )
    return cast("Backend_co", observed(made))
