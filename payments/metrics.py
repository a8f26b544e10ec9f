"""What is counted of payments."""

from __future__ import annotations

from typing import Literal

from common.telemetry.metrics import Counter

ENDED = Counter(
    "reelmint_payments",
    "Payments by how they ended; review = a first one that a person looks at.",
    ["end"],
)
WEBHOOKS = Counter("reelmint_stripe_webhooks", "Webhooks of Stripe's by result.", ["result"])
REVERSED = Counter("reelmint_reversed_credits", "Credits that reversals took back.")
SURPRISES = Counter(
    "reelmint_payment_surprises", "What a person has to look at in a payment.", ["kind"]
)

Surprise = Literal[
    "dispute",  # opened: a person has to answer it
    "fraud_warning",  # a bank's early word; a refund now is cheaper than a dispute
    "order_refused",
    "refund_refused",
    "reused_key",  # a setting changed between two tries of one order
    "unknown_value",  # a word of Stripe's that we do not know
]
KINDS: tuple[Surprise, ...] = (
    *("dispute", "fraud_warning", "order_refused", "refund_refused", "reused_key"),
    "unknown_value",
)
ENDS = ("paid", "expired", "failed", "mismatch", "review")
RESULTS = ("ok", "unknown", "bad_signature", "wrong_mode", "unavailable")

for _kind in KINDS:
    SURPRISES.labels(_kind)
for _end in ENDS:
    ENDED.labels(_end)
for _result in RESULTS:
    WEBHOOKS.labels(_result)


def surprised(kind: Surprise) -> None:
    """Count something that an alert tells a person about."""
    SURPRISES.labels(kind).inc()
