"""Without a collector nothing of OpenTelemetry is loaded; see tests/system/faults for one."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from common.telemetry import tracing

ROOT = Path(__file__).resolve().parent.parent.parent.parent
LOADED = (
    "import sys, config.wsgi, config.celery, generation.tasks.submit, generation.tasks.store;"
    "from common.telemetry import tracing; tracing.start(); tracing.instrument('django');"
    "print([name for name in sys.modules if name.startswith(OURS)])"
)


# redis-py loads the API and the SDK by itself where they are installed
OURS = ("opentelemetry.exporter", "opentelemetry.instrumentation", "common.telemetry.otel")


def test_nothing_is_loaded() -> None:
    done = subprocess.run(
        [sys.executable, "-c", f"OURS = {OURS};{LOADED}"],
        cwd=ROOT,
        env=os.environ | {"PUBLIC_BASE_URL": "https://api.example.com"},
        capture_output=True,
        text=True,
    )
    assert done.stdout.strip() == "[]", done.stderr


@pytest.mark.parametrize(
    ("environment", "wanted"),
    [
        ({}, False),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": ""}, False),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:4318"}, True),
        ({"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://127.0.0.1:4318/v1/traces"}, True),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://x", "OTEL_SDK_DISABLED": "true"}, False),
    ],
)
def test_who_wants_it(environment: dict[str, str], wanted: bool) -> None:
    assert tracing.is_wanted(environment) is wanted


def test_nobody_does_nothing() -> None:
    nobody = tracing.Nobody()
    with nobody.span("x", attempt=1), nobody.within("00-a-b-01"):
        assert nobody.traceparent() == ""
        assert nobody.ids() == {}
    nobody.stop()
