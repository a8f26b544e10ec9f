"""What is counted of webhooks."""

from __future__ import annotations

from common.telemetry.metrics import Counter, Histogram
from events.models import AttemptError, DisabledReason, FailedReason

SUCCEEDED = "succeeded"
ATTEMPTS = Counter(
    "reelmint_webhook_attempts",
    "Attempts to deliver, by outcome; internal = ours.",
    ["outcome"],
)
ATTEMPT_SECONDS = Histogram(
    "reelmint_webhook_attempt_duration_seconds",
    "Seconds from the look-up of a receiver's name to its status.",
    buckets=(0.1, 0.2, 0.5, 1, 2, 5, 10, 15),
)
ENDED = Counter(
    "reelmint_webhook_deliveries_ended",
    "Deliveries that ended, by how.",
    ["outcome"],
)
DISABLED = Counter(
    "reelmint_webhook_endpoints_disabled",
    "Endpoints that were switched off, but for those that customers did, by reason.",
    ["reason"],
)

for _error in (SUCCEEDED, *AttemptError.values):  # shown as 0 until the first one
    ATTEMPTS.labels(_error)
for _outcome in (SUCCEEDED, *FailedReason.values):
    ENDED.labels(_outcome)
for _reason in DisabledReason.values:
    DISABLED.labels(_reason)
