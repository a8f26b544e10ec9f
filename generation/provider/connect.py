"""The provider as this process talks to it: where, as which project, through which backend."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import cache, wraps
from time import perf_counter
from typing import Any, Generic, TypeVar, cast

from django.conf import settings

from common.telemetry import tracing
from generation.backends import base
from generation.backends.base import Reader
from generation.provider.observed import PROVIDER_CALLS, PROVIDER_SECONDS, TracedBackend

CALLS = ("submit", "poll", "find_output", "fetch_output", "remove_outputs")
# What a call may come to, as counted: the results and errors of the backends' manual.
OUTCOMES: dict[type, str] = {
    base.Accepted: "accepted",
    base.Produced: "produced",
    base.Running: "running",
    base.Fetched: "fetched",
    type(None): "nothing",
    base.NotAccepted: "not_accepted",
    base.Unknown: "unknown",
    base.Rejected: "rejected",
    base.Unavailable: "unavailable",
    base.OperationGone: "gone",
    base.DamagedOutput: "damaged",
}

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
    for call in CALLS:
        if hasattr(made, call):
            setattr(made, call, _counted(call, getattr(made, call)))
    if tracing.ENABLED:
        made = cast("Backend_co", TracedBackend(made))
    return Provider(made, settings.GOOGLE_CLOUD_PROJECT, settings.GOOGLE_CLOUD_LOCATION)


@cache
def provider(backend: Callable[..., Backend_co]) -> Provider[Backend_co]:
    """The one of this process; ``backend`` as for connect()."""
    return connect(backend)


def _counted(call: str, ask: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
    seconds = PROVIDER_SECONDS.labels(call)

    @wraps(ask)
    async def counted(*args: Any, **kwargs: Any) -> Any:
        began, outcome = perf_counter(), "failed"  # our own code, the disk, or ended by us
        try:
            answer = await ask(*args, **kwargs)
            outcome = OUTCOMES.get(type(answer), outcome)
        except base.BackendError as error:
            outcome = OUTCOMES.get(type(error), outcome)
            raise
        finally:
            PROVIDER_CALLS.labels(call, outcome).inc()
            seconds.observe(perf_counter() - began)
        return answer

    return counted
