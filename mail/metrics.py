"""What is counted of mails."""

from __future__ import annotations

from typing import Literal

from common.telemetry.metrics import Counter

End = Literal[
    "sent",
    "bounced",  # refused because of the address, which may be anybody's mistake
    "failed",  # refused because of us, or given up
    "expired",  # no use any more before it could be sent
]
ENDS: tuple[End, ...] = ("sent", "bounced", "failed", "expired")
ENDED = Counter("reelmint_mails", "Mails by how they ended.", ["end"])

for _end in ENDS:
    ENDED.labels(_end)
