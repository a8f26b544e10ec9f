"""What the command line decides."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

TEST_KEYS = ("sk_test_", "rk_test_")

# Seconds, before the time scale.
SESSION_SHORTEST = 30 * 60
SESSION_LONGEST = 24 * 3600
BANK_SECONDS = 60.0  # 2 to 14 days in reality
AFTERWARDS_SECONDS = 5.0  # until what a scenario does after the payment
BROWSER_WAITS = 10.0  # for the webhook's answer before it goes back to the shop; never scaled


@dataclass(frozen=True, slots=True)
class Options:
    """``webhook_secrets`` sign each delivery, as both do while a secret is rolled at Stripe.

    Without a ``secret_key`` each key of Stripe's test mode is taken, and no other one.
    """

    secret_key: str = ""
    webhook_url: str = ""
    webhook_secrets: tuple[str, ...] = ()
    time_scale: float = 1.0
    record: Path | None = None

    def takes(self, key: str) -> bool:
        """Whether a caller with this secret key is let in."""
        if self.secret_key:
            return key == self.secret_key
        return key.startswith(TEST_KEYS) and len(key) > len(TEST_KEYS[0])
