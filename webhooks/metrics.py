"""What is counted of webhooks."""

from __future__ import annotations

from common.telemetry.metrics import Counter
from events.models import DisabledReason, FailedReason

SUCCEEDED = "succeeded"
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

for _outcome in (SUCCEEDED, *FailedReason.values):  # shown as 0 until the first one
    ENDED.labels(_outcome)
for _reason in DisabledReason.values:
    DISABLED.labels(_reason)
