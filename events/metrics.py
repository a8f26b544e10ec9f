"""What is counted of events."""

from __future__ import annotations

from common.telemetry.metrics import Counter
from events.models import Type

EVENTS = Counter("reelmint_events", "Events that customers are told of, by type.", ["type"])

for _type in Type.values:  # shown as 0 until the first one
    EVENTS.labels(_type)
