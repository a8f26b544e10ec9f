"""A backend whose calls are counted and, if somebody collects them, are spans.

No prompt, URL or place is a label or an attribute.
"""

from __future__ import annotations

from collections.abc import Awaitable
from pathlib import Path
from time import perf_counter
from typing import TypeVar

from common.telemetry import tracing
from common.telemetry.metrics import Counter, Histogram
from generation.backends import base
from generation.backends.base import (
    Accepted,
    Fetched,
    Kind,
    Produced,
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
READS = ("poll", "find_output", "fetch_output", "remove_outputs", "forget", "knows")
# What a call may come to, as counted: the results and errors of the backends' manual.
OUTCOMES: dict[type, str] = {
    base.Accepted: "accepted",
    base.Produced: "produced",
    base.Running: "running",
    base.Fetched: "fetched",
    bool: "told",
    type(None): "nothing",
    base.NotAccepted: "not_accepted",
    base.Unknown: "unknown",
    base.ModelGone: "model_gone",
    base.Rejected: "rejected",
    base.Unavailable: "unavailable",
    base.OperationGone: "gone",
    base.DamagedOutput: "damaged",
}

T = TypeVar("T")


def observed(backend: base.Reader) -> base.Reader:
    """The same backend, observed. One that only reads gets no method that buys."""
    if isinstance(backend, base.Backend):
        return ObservedBuyer(backend)
    return ObservedReader(backend)


class ObservedReader(base.Reader):
    """Passes the calls of a reader on."""

    def __init__(self, inner: base.Reader) -> None:
        self._inner = inner
        self.capabilities = inner.capabilities
        for call in READS:
            PROVIDER_SECONDS.labels(call)  # shown as 0 until the first one

    def place_for(self, generation_id: str, number: int) -> str:
        return self._inner.place_for(generation_id, number)

    async def poll(self, operation_name: str, place: str) -> Running | Produced:
        return await _observe("poll", self._inner.poll(operation_name, place))

    async def find_output(self, place: str, kind: Kind) -> Produced | None:
        return await _observe("find_output", self._inner.find_output(place, kind))

    async def fetch_output(self, uri: str, destination: Path) -> Fetched:
        return await _observe("fetch_output", self._inner.fetch_output(uri, destination))

    async def remove_outputs(self, place: str) -> None:
        await _observe("remove_outputs", self._inner.remove_outputs(place))

    async def forget(self, operation_name: str, place: str) -> None:
        await _observe("forget", self._inner.forget(operation_name, place))

    async def knows(self, model: str, location: str) -> bool | None:
        return await _observe("knows", self._inner.knows(model, location))

    async def aclose(self) -> None:
        await self._inner.aclose()


class ObservedBuyer(ObservedReader, base.Backend):
    """Passes the call that buys on, too."""

    def __init__(self, inner: base.Backend) -> None:
        super().__init__(inner)
        self._buyer = inner
        PROVIDER_SECONDS.labels("submit")

    async def submit(self, request: SubmitRequest) -> Accepted | Produced:
        known = {"model": request.model, "attempt": request.labels["attempt"]}
        return await _observe("submit", self._buyer.submit(request), **known)


async def _observe(call: str, asked: Awaitable[T], **attributes: str) -> T:
    began, outcome = perf_counter(), "failed"  # our own code, the disk, or ended by us
    try:
        with tracing.span(f"provider {call.replace('_', ' ')}", **attributes):
            answer = await asked
        outcome = OUTCOMES.get(type(answer), outcome)
    except base.BackendError as error:
        outcome = OUTCOMES.get(type(error), outcome)
        raise
    finally:
        PROVIDER_CALLS.labels(call, outcome).inc()
        PROVIDER_SECONDS.labels(call).observe(perf_counter() - began)
    return answer
