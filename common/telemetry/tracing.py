"""Spans for OpenTelemetry, if ``OTEL_EXPORTER_OTLP_ENDPOINT`` says who collects them.

Otherwise nothing of it is imported and everything here does nothing. The extra ``otel`` installs
what common/telemetry/otel.py needs.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from importlib import import_module
from typing import Protocol


class Tracer(Protocol):
    """What has to make spans: common/telemetry/otel.py, or Nobody."""

    def span(self, name: str, **attributes: str | int) -> AbstractContextManager[object]:
        """Time something; an exception that leaves it is noted by its type."""

    def within(self, parent: str | None) -> AbstractContextManager[object]:
        """Let spans belong to the one that ``parent`` names."""

    def traceparent(self) -> str:
        """The span that is being timed, in W3C's spelling; empty when there is none."""

    def ids(self) -> dict[str, str]:
        """``trace_id`` and ``span_id`` for a log line."""

    def instrument(self, *what: str) -> None: ...

    def start(self) -> None:
        """Begin to collect and send; once a process, after the fork."""

    def stop(self) -> None:
        """Send what is waiting, at the end of a process."""


def is_wanted(environment: Mapping[str, str]) -> bool:
    """Whether the standard variables name a collector."""
    names = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
    off = environment.get("OTEL_SDK_DISABLED", "").lower() == "true"
    return not off and any(environment.get(name) for name in names)


class Nobody:
    """Stands in where no collector is named."""

    def span(self, name: str, **attributes: str | int) -> AbstractContextManager[object]:
        return nullcontext()

    def within(self, parent: str | None) -> AbstractContextManager[object]:
        return nullcontext()

    def traceparent(self) -> str:
        return ""

    def ids(self) -> dict[str, str]:
        return {}

    def instrument(self, *what: str) -> None: ...

    def start(self) -> None: ...

    def stop(self) -> None: ...


ENABLED = is_wanted(os.environ)
_tracer: Tracer = import_module("common.telemetry.otel").TRACER if ENABLED else Nobody()
span, within, ids = _tracer.span, _tracer.within, _tracer.ids
traceparent, instrument = _tracer.traceparent, _tracer.instrument
start, stop = _tracer.start, _tracer.stop
