"""What is sent of a span, and which there are; tests/system/faults has the whole way."""

from __future__ import annotations

import contextlib
from typing import Any

import pytest
from opentelemetry import context
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.sampling import Decision, ParentBased
from opentelemetry.trace import SpanKind, StatusCode
from structlog.contextvars import bound_contextvars

from accounts import secrets
from common.telemetry import otel
from common.telemetry.otel import Alone, CleaningExporter, OpenTelemetry, Roots
from generation.backends.base import SubmitRequest
from generation.backends.vertex.reader import VertexReader
from generation.provider.observed import observed

TRACE, SPAN = "a" * 32, "b" * 16


@pytest.fixture
def exporter() -> InMemorySpanExporter:
    return InMemorySpanExporter()


@pytest.fixture
def provider(exporter: InMemorySpanExporter) -> TracerProvider:
    made = TracerProvider(sampler=ParentBased(Roots(1)))
    made.add_span_processor(SimpleSpanProcessor(CleaningExporter(exporter)))
    return made


def test_what_is_sent_holds_no_secret(
    provider: TracerProvider, exporter: InMemorySpanExporter
) -> None:
    secret = secrets.generate(secrets.KEY_PREFIX)
    tracer = provider.get_tracer("x")
    name = f"GET /{secret}"
    with (
        contextlib.suppress(ValueError),
        tracer.start_as_current_span(name, kind=SpanKind.SERVER) as span,
    ):
        span.set_attribute("http.url", "https://a.example/b?signature=hush")
        span.set_attribute("url.query", "signature=hush")
        span.set_attribute("several", ["Authorization: hush"])
        span.set_attribute("http.status_code", 200)
        span.set_attribute("db.statement", "SELECT " + "x" * 1000)
        span.add_event("a prompt", {"text": "hush"})
        raise ValueError("hush")
    (sent,) = exporter.get_finished_spans()
    text = sent.to_json()
    assert "hush" not in text
    assert secret not in text
    assert sent.attributes is not None
    assert sent.attributes["http.url"] == "https://a.example/b?…"
    assert sent.attributes["http.status_code"] == 200
    assert len(str(sent.attributes["db.statement"])) == otel.MAX_TEXT
    assert sent.status.status_code == StatusCode.ERROR
    assert [dict(event.attributes or {}) for event in sent.events] == [
        {"exception.type": "ValueError"}
    ]
    provider.force_flush()
    provider.shutdown()


def test_a_trace_begins_with_a_request_and_with_nothing_else() -> None:
    everything, nothing = Roots(1), Roots(0)
    for kind in SpanKind:
        decided = everything.should_sample(None, 7, "x", kind).decision
        assert (decided == Decision.RECORD_AND_SAMPLE) == (kind == SpanKind.SERVER)
        assert nothing.should_sample(None, 7, "x", kind).decision == Decision.DROP
    assert "requests" in everything.get_description()


def test_nobody_outside_is_believed_or_told() -> None:
    alone, carrier = Alone(), {"traceparent": f"00-{TRACE}-{SPAN}-01"}
    assert alone.extract(carrier) == context.get_current()
    other = context.Context({"x": 1})
    assert alone.extract(carrier, other) is other
    sent: dict[str, str] = {}
    alone.inject(sent)
    assert sent == {}
    assert alone.fields == set()


def test_what_belongs_to_a_generation_belongs_to_its_trace(
    provider: TracerProvider, exporter: InMemorySpanExporter, monkeypatch: pytest.MonkeyPatch
) -> None:
    tracer = OpenTelemetry()
    monkeypatch.setattr(tracer, "_tracer", provider.get_tracer("x"))
    assert (tracer.traceparent(), tracer.ids()) == ("", {})
    with tracer.within(None), tracer.span("of nobody"):
        pass
    with bound_contextvars(generation_id="g"), tracer.within(f"00-{TRACE}-{SPAN}-01"):
        assert tracer.traceparent() == f"00-{TRACE}-{SPAN}-01"
        with contextlib.suppress(KeyError), tracer.span("provider submit", attempt=2):
            assert tracer.ids()["trace_id"] == TRACE
            raise KeyError("hush")
    (sent,) = exporter.get_finished_spans()
    assert sent.name == "provider submit"
    assert dict(sent.attributes or {}) == {
        "attempt": 2,
        "generation.id": "g",
        "error.type": "KeyError",
    }
    assert sent.parent is not None
    assert f"{sent.parent.trace_id:032x}" == TRACE
    tracer.stop()
    provider.shutdown()


async def _submit(backend: Any) -> object:
    request = SubmitRequest(
        kind="video",
        model="veo",
        prompt="p",
        aspect_ratio="16:9",
        place="gs://b/",
        labels={"attempt": "1"},
    )
    return await backend.submit(request)


def test_a_backend_that_only_reads_buys_nothing() -> None:
    with pytest.raises(AttributeError, match="no attribute 'submit'"):
        _submit(observed(VertexReader.__new__(VertexReader))).send(None)
