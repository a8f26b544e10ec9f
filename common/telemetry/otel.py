"""The spans of tracing.py, sent over OTLP/HTTP; imported only when somebody collects them.

A trace is a generation's: the request that creates it, and what workers do for the row. A pass of
a worker has no span, nor have its claims (decision 41). All spans are cleaned here, as they are
sent, whatever library made them.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from importlib import import_module
from typing import Any

from opentelemetry import context, propagate, trace
from opentelemetry.context import get_current as current
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.propagators.textmap import TextMapPropagator
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import Event, ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.sdk.trace.sampling import (
    Decision,
    ParentBased,
    Sampler,
    SamplingResult,
    TraceIdRatioBased,
)
from opentelemetry.trace import SpanKind, Status, StatusCode
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from structlog.contextvars import get_contextvars

from common.telemetry.redaction import redact

MAX_TEXT = 300  # characters of an attribute
LEFT_OUT = {"url.query", "http.user_agent", "user_agent.original"}
INSTRUMENTORS = {
    "django": ("opentelemetry.instrumentation.django", "DjangoInstrumentor"),
    "psycopg": ("opentelemetry.instrumentation.psycopg", "PsycopgInstrumentor"),
    "httpx": ("opentelemetry.instrumentation.httpx", "HTTPXClientInstrumentor"),
    "aiohttp": ("opentelemetry.instrumentation.aiohttp_client", "AioHttpClientInstrumentor"),
}
PROBES = "livez,readyz,metrics"

_w3c = TraceContextTextMapPropagator()


class Alone(TextMapPropagator):
    """Believes nobody outside what trace a request belongs to, and tells nobody of ours.

    OpenTelemetry's own ``none`` breaks the Django instrumentation: it makes no context at all.
    """

    def extract(
        self, carrier: Any, context: context.Context | None = None, *_: Any, **__: Any
    ) -> context.Context:
        return current() if context is None else context

    def inject(self, *_: Any, **__: Any) -> None: ...

    @property
    def fields(self) -> set[str]:
        return set()


class Roots(Sampler):
    """Begins a trace for a share of the requests, and for nothing else."""

    def __init__(self, share: float) -> None:
        self._share = TraceIdRatioBased(share)

    def should_sample(
        self,
        parent_context: context.Context | None,
        trace_id: int,
        name: str,
        kind: SpanKind | None = None,
        *args: Any,
        **kwargs: Any,
    ) -> SamplingResult:
        """By the trace's id for a request, never for a statement of nobody's."""
        if kind != SpanKind.SERVER:
            return SamplingResult(Decision.DROP)
        return self._share.should_sample(parent_context, trace_id, name, kind, *args, **kwargs)

    def get_description(self) -> str:
        return f"requests, {self._share.get_description()}"


class CleaningExporter(SpanExporter):
    """Another exporter, which gets spans without secrets, queries and what exceptions say."""

    def __init__(self, inner: SpanExporter) -> None:
        self._inner = inner

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Send copies: the spans themselves belong to whoever made them."""
        return self._inner.export([cleaned(span) for span in spans])

    def shutdown(self) -> None:
        self._inner.shutdown()

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        return self._inner.force_flush(timeout_millis)


def cleaned(span: ReadableSpan) -> ReadableSpan:
    """The span without what may hold a secret or a prompt."""
    return ReadableSpan(
        name=redact(span.name)[:MAX_TEXT],
        context=span.get_span_context(),
        parent=span.parent,
        resource=span.resource,
        attributes=_attributes(span.attributes or {}),
        events=[
            Event(event.name, {"exception.type": kind}, event.timestamp)
            for event in span.events
            if (kind := (event.attributes or {}).get("exception.type")) is not None
        ],
        links=span.links,
        kind=span.kind,
        status=Status(span.status.status_code),
        start_time=span.start_time,
        end_time=span.end_time,
        instrumentation_scope=span.instrumentation_scope,
    )


def _attributes(attributes: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: value if isinstance(value, bool | int | float) else redact(str(value))[:MAX_TEXT]
        for name, value in attributes.items()
        if name not in LEFT_OUT
    }


class OpenTelemetry:
    def __init__(self) -> None:
        propagate.set_global_textmap(Alone())
        self._tracer = trace.get_tracer("reelmint")
        self._provider: TracerProvider | None = None

    @contextmanager
    def span(self, name: str, **attributes: str | int) -> Iterator[object]:
        """Time something; an exception that leaves it is noted by its type."""
        known: dict[str, Any] = dict(attributes)
        if generation_id := get_contextvars().get("generation_id"):
            known["generation.id"] = generation_id
        with self._tracer.start_as_current_span(
            name,
            kind=SpanKind.CLIENT,
            attributes=known,
            record_exception=False,
            set_status_on_exception=False,
        ) as span:
            try:
                yield span
            except BaseException as error:
                span.set_attribute("error.type", type(error).__name__)
                span.set_status(Status(StatusCode.ERROR))
                raise

    def within(self, parent: str | None) -> AbstractContextManager[object]:
        """Let spans belong to the one that ``parent`` names, or to none."""
        return _attached(_w3c.extract({"traceparent": parent or ""}, context.Context()))

    def traceparent(self) -> str:
        """The span that is being timed, in W3C's spelling; empty when there is none."""
        carrier: dict[str, str] = {}
        _w3c.inject(carrier)
        return carrier.get("traceparent", "")

    def ids(self) -> dict[str, str]:
        """``trace_id`` and ``span_id`` for a log line."""
        now = trace.get_current_span().get_span_context()
        if not now.is_valid:
            return {}
        return {"trace_id": f"{now.trace_id:032x}", "span_id": f"{now.span_id:016x}"}

    def instrument(self, *what: str) -> None:
        """Let libraries make spans; may be called before the fork."""
        for name in what:
            module, instrumentor = INSTRUMENTORS[name]
            options = {"excluded_urls": PROBES} if name == "django" else {}
            getattr(import_module(module), instrumentor)().instrument(**options)

    def start(self) -> None:
        """Begin to collect and send; once a process, after the fork: it starts a thread."""
        name = os.environ.get("OTEL_SERVICE_NAME", "reelmint")
        instance = f"{socket.gethostname()}:{os.getpid()}"
        share = float(os.environ.get("OTEL_TRACES_SAMPLER_ARG") or 1)
        self._provider = TracerProvider(
            sampler=ParentBased(Roots(share)),
            resource=Resource.create({"service.name": name, "service.instance.id": instance}),
        )
        self._provider.add_span_processor(BatchSpanProcessor(CleaningExporter(OTLPSpanExporter())))
        trace.set_tracer_provider(self._provider)

    def stop(self) -> None:
        """Send what is waiting; for a process that ends without Python's own end."""
        if self._provider is not None:
            self._provider.shutdown()


@contextmanager
def _attached(where: context.Context) -> Iterator[object]:
    token = context.attach(where)
    try:
        yield None
    finally:
        context.detach(token)


TRACER = OpenTelemetry()
