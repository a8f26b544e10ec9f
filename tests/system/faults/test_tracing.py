"""One generation as one trace, from the real web server and workers to a real collector."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from dev.embedded.environment import Options
from dev.embedded.processes import wait_until
from dev.embedded.stack import Stack
from tests.e2e.customer import VIDEO, Customer
from tests.system.faults.leak_search import Needle, search
from tests.system.faults.otlp import Collector, attributes

PROMPT = "a heron that nobody may read of [emulator:unavailable]"


@pytest.fixture(autouse=True)
def _clean_slate() -> None:
    """Nothing to sweep: the stack has servers of its own."""


@pytest.fixture
def collector() -> Iterator[Collector]:
    running = Collector()
    yield running
    running.close()


@pytest.fixture
def stack(collector: Collector) -> Iterator[Stack]:
    here = Path(tempfile.mkdtemp(prefix="rm-otel-"))
    own = {"OUTPUT_ROOT": f"{here}/outputs", "WORK_DIR": f"{here}/work"}
    own |= {"OTEL_EXPORTER_OTLP_ENDPOINT": collector.url, "OTEL_BSP_SCHEDULE_DELAY": "300"}
    options = Options(
        time_scale=0.03,
        emulator_plain=True,
        one_worker=True,
        environment=own | {"LOG_LEVEL": "INFO"},
    )
    with Stack(here / "var", options) as running:
        yield running
    shutil.rmtree(here)


def test_a_generation_is_one_trace_and_tells_no_secret(stack: Stack, collector: Collector) -> None:
    made = stack.manage("create_account", "a@example.com", "--credits", "1000", "--skip-checks")
    key = json.loads(made)["key"]
    customer = Customer(stack, key)
    image = f"{stack.emulator_url}/sample-images/square.png?signature=hush-hush"
    # what others say about traces is not believed
    customer.http.headers["traceparent"] = f"00-{'a' * 32}-{'b' * 16}-01"
    generation_id = customer.create(VIDEO, PROMPT, source_image_urls=[image])
    body = customer.finished(generation_id)
    customer.http.get(body["video_url"] or "/no")
    customer.http.get("/livez")
    customer.http.close()

    def of_it() -> list[str]:
        create = [s for _, s in collector.spans() if s.name == "POST api/v1/generate/video/"]
        trace = create[0].trace_id if create else b""
        return [span.name for _, span in collector.spans() if span.trace_id == trace]

    wanted = {"provider submit", "provider poll", "provider fetch output"}
    if body["status"] != "completed":
        raise AssertionError(body)
    assert wait_until(lambda: wanted <= set(of_it()), 10), of_it()
    stack.stop()

    sent = collector.spans()
    create = next(span for _, span in sent if span.name == "POST api/v1/generate/video/")
    assert create.trace_id != b"\xaa" * 16
    ours = [(who, span) for who, span in sent if span.trace_id == create.trace_id]
    assert len({who for who, _ in ours}) >= 3  # a web process, and at least two of a worker
    for _, span in ours:
        if span.name.startswith("provider "):
            assert generation_id in attributes(span)["generation.id"]
            assert span.parent_span_id == create.span_id
    names = {span.name for _, span in ours}
    assert "POST" in names  # httpx to the provider, below "provider submit"
    assert "GET" in names  # the customer's image and the output
    assert any(name.startswith(("UPDATE", "INSERT", "WITH")) for name in names), names
    failed = [span for _, span in ours if "error.type" in attributes(span)]
    assert any(span.name == "provider poll" for span in failed)

    roots = {span.name for _, span in sent if not span.parent_span_id}
    assert all(name.startswith(("GET", "POST")) for name in roots), roots
    assert not any("livez" in name for name in roots)

    needles = [Needle("the key", key), Needle("the prompt", "a heron"), Needle("a query", "hush")]
    needles.append(Needle("a signed link", pattern=rb"signature="))
    places = {f"export {number}": raw for number, raw in enumerate(collector.raw)}
    assert search(places, needles) == []
    # and the log leads to the trace
    for name in ("web", "worker"):
        assert create.trace_id.hex() in (stack.var_dir / "log" / f"{name}.log").read_text()
