"""What is counted of stages, whatever they work on."""

from __future__ import annotations

from common.telemetry.metrics import Counter, Histogram

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
LOST_ANSWERS = Counter(
    "reelmint_lost_answers", "Answers of the provider given up because PostgreSQL was away."
)
TICKS = Counter("reelmint_ticks", "Ticks of Celery beat.", ["stage"])
