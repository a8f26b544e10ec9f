"""What is counted, by name. docs/runbook.md says what to do when it looks wrong.

Every process counts for itself; ``metrics_folder`` adds up what the processes of one program
counted, and each program answers for itself at its own ``/metrics``: web and workers share nothing
but these names. What only the database knows is asked at a scrape of the web
(``generation/gauges.py``).

Labels hold words of ours only (routes, models, codes), never an id, an address or a path: their
number is bounded by the code.
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

from common import metrics_folder

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
disable_created_metrics()  # a series more for each, which nobody reads

# --- The API --------------------------------------------------------------------------------------
REQUESTS = Counter(
    "reelmint_http_requests",
    "Requests by the name of their route, method and status.",
    ["route", "method", "status"],
)
REQUEST_SECONDS = Histogram(
    "reelmint_http_request_duration_seconds",
    "Seconds from the first middleware until the answer was made.",
    ["route", "method"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)

IN_PROGRESS = Gauge(
    "reelmint_http_requests_in_progress",
    "Requests that are being answered at this moment.",
    multiprocess_mode="livesum",  # of the processes that live
)

# --- Generations and money ------------------------------------------------------------------------
CREATED = Counter("reelmint_generations_created", "Generations that were charged.", ["model"])
ENDED = Counter(
    "reelmint_generations_ended",
    "Generations that came to their end, by final state and error code (empty when completed).",
    ["model", "kind", "state", "code"],
)
GENERATION_SECONDS = Histogram(
    "reelmint_generation_duration_seconds",
    "Seconds from creation to completion of those that were completed.",
    ["model"],
    buckets=(5, 10, 20, 30, 45, 60, 90, 120, 180, 300, 600, 1800),
)
CHARGED = Counter("reelmint_credits_charged", "Credits taken for generations.", ["model"])
REFUNDED = Counter(
    "reelmint_credits_refunded",
    "Credits given back, by the error code or canceled.",
    ["model", "code"],
)

# --- The work -------------------------------------------------------------------------------------
CLAIMED_ROWS = Histogram(
    "reelmint_claimed_rows",
    "Rows that one claim got.",
    ["stage"],
    buckets=(0, 1, 2, 5, 10, 20, 50, 100, 200),
)
STAGE_RUNS = Counter(
    "reelmint_stage_runs", "Runs of a stage in a worker; failed = it raised.", ["stage", "outcome"]
)
STAGE_SECONDS = Histogram(
    "reelmint_stage_run_duration_seconds",
    "Seconds that a run of a stage took.",
    ["stage"],
    buckets=(0.01, 0.05, 0.25, 1, 5, 10, 20, 30, 60, 120, 180),
)
STAGE_ROWS = Counter("reelmint_stage_rows", "Rows that runs of a stage worked on.", ["stage"])
STAGE_ERRORS = Counter(
    "reelmint_stage_errors", "Rows on which our own code failed; their lease brings them back."
)
FENCED = Counter(
    "reelmint_fenced_writes",
    "Write-backs that matched no row: the lease was lost, or somebody ended it meanwhile.",
)
LOST_ANSWERS = Counter(
    "reelmint_lost_answers", "Answers of the provider given up because PostgreSQL was away."
)
TICKS = Counter("reelmint_ticks", "Ticks of Celery beat.", ["stage"])
PROVIDER_CALLS = Counter(
    "reelmint_provider_calls", "Calls to the provider by what came of them.", ["call", "outcome"]
)
PROVIDER_SECONDS = Histogram(
    "reelmint_provider_call_duration_seconds",
    "Seconds that calls to the provider took.",
    ["call"],
    buckets=(0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 30, 60),
)


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
        """In Prometheus's text format."""
        return b"".join(generate_latest(registry) for registry in self._registries)


def forget_process(pid: int) -> None:
    """A process of this program has ended: what it counted stays, what it was doing does not."""
    if metrics_folder.VARIABLE in os.environ:
        mark_process_dead(pid)
