"""What the waiter counts. It is one process and answers /metrics itself, so it needs no folder."""

from __future__ import annotations

from common.telemetry.metrics import Counter, Gauge, Histogram

WAIT, STREAM = "wait", "stream"
ENDED, TIMED_OUT, AT_ONCE, LEFT, REFUSED = "ended", "timed_out", "at_once", "left", "refused"

CONNECTIONS = Gauge(
    "reelmint_waiter_connections",
    "Requests that are held at this moment, by kind.",
    ["kind"],
    multiprocess_mode="livesum",
)
WAITS = Counter(
    "reelmint_waiter_waits",
    "Waits that were answered, by what ended them.",
    ["outcome"],
)
LOOK_SECONDS = Histogram(
    "reelmint_waiter_look_seconds",
    "Seconds of a look at all that is watched.",
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)
SEEN_SECONDS = Gauge(
    "reelmint_waiter_seen_seconds",
    "Seconds since the last look that succeeded.",
    multiprocess_mode="livemax",
)

for _kind in (WAIT, STREAM):  # shown as 0 until the first one
    CONNECTIONS.labels(_kind)
for _outcome in (ENDED, TIMED_OUT, AT_ONCE, LEFT, REFUSED):
    WAITS.labels(_outcome)
