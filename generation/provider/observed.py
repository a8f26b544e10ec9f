"""A backend whose calls are spans; used only when somebody collects them."""

from __future__ import annotations

from pathlib import Path

from common.telemetry import tracing
from common.telemetry.metrics import Counter, Histogram
from generation.backends.base import (
    Accepted,
    Backend,
    Fetched,
    Produced,
    Reader,
    Running,
    SubmitRequest,
)

PROVIDER_CALLS = Counter(
    "reelmint_provider_calls", "Calls to the provider by what came of them.", ["call", "outcome"]
)
PROVIDER_SECONDS = Histogram(
    "reelmint_provider_call_duration_seconds",
    "Seconds that calls to the provider took.",
    ["call"],
    buckets=(0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 30, 60),
)


class TracedBackend(Backend):
    """Passes every call on. No prompt, URL or prefix is an attribute of a span."""

    def __init__(self, inner: Reader) -> None:
        self._inner = inner

    async def submit(self, request: SubmitRequest) -> Accepted | Produced:
        """As the inner one's, which has to be one that can buy."""
        if not isinstance(self._inner, Backend):
            raise TypeError(f"{type(self._inner).__name__} only reads")
        with tracing.span(
            "provider submit", model=request.model, attempt=request.labels["attempt"]
        ):
            return await self._inner.submit(request)

    async def poll(self, operation_name: str, prefix: str) -> Running | Produced:
        with tracing.span("provider poll"):
            return await self._inner.poll(operation_name, prefix)

    async def find_output(self, prefix: str) -> Produced | None:
        with tracing.span("provider find output"):
            return await self._inner.find_output(prefix)

    async def fetch_output(self, uri: str, destination: Path) -> Fetched:
        with tracing.span("provider fetch output"):
            return await self._inner.fetch_output(uri, destination)

    async def remove_outputs(self, prefix: str) -> None:
        with tracing.span("provider remove outputs"):
            await self._inner.remove_outputs(prefix)

    async def aclose(self) -> None:
        await self._inner.aclose()
