"""Counting. What is counted stands with what it counts; docs/runbook.md says when it looks wrong.

Each program adds up its own processes (``metrics_folder``) and answers at its own ``/metrics``;
what only the database knows is in ``monitoring/gauges.py``. Labels hold words of ours (routes,
models, codes), never an id, an address or a path, so their number is bounded.
"""

from __future__ import annotations

import os

from prometheus_client import (
    REGISTRY,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    disable_created_metrics,
    generate_latest,
)
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead
from prometheus_client.registry import Collector

from common.telemetry import metrics_folder

# What counts is made of these three, so that the line below the next one comes first.
__all__ = ["CONTENT_TYPE", "Counter", "Gauge", "Histogram", "Scrape", "process_ended"]
CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
disable_created_metrics()  # a series more for each, which nobody reads


class Scrape:
    """What one program answers: the counts of its processes, and gauges that are asked for then."""

    def __init__(self, *gauges: Collector) -> None:
        self._registries: list[CollectorRegistry] = [CollectorRegistry()]
        if metrics_folder.VARIABLE in os.environ:
            MultiProcessCollector(self._registries[0])
        else:  # one process only, as under runserver and in tests
            self._registries.append(REGISTRY)
        for gauge in gauges:
            self._registries[0].register(gauge)

    def text(self) -> bytes:
        return b"".join(generate_latest(registry) for registry in self._registries)


def process_ended(pid: int) -> None:
    """A process of this program has ended: what it counted stays, what it was doing does not."""
    if metrics_folder.VARIABLE in os.environ:
        mark_process_dead(pid)
