"""What the buyers wrote down: every payment that they were told of, and all that was wrong."""

from __future__ import annotations

import threading
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from dev.chaos.purchases import Wish

# What may follow; ``created`` may become anything, and the rest is final.
FORWARD = {
    "created": {"open", "processing", "paid", "expired", "failed", "mismatch"},
    "open": {"processing", "paid", "expired", "failed", "mismatch"},
    "processing": {"paid", "expired", "failed", "mismatch"},
    "expired": {"paid", "mismatch"},
    "failed": {"paid", "mismatch"},
    "mismatch": {"paid", "failed"},  # by a person
    "paid": set[str](),
}
AGREED = ("payment_id", "pack", "credits", "amount_minor", "currency", "expires_at")


@dataclass(slots=True)
class Receipts:
    """Shared by all buyers; what is written is never taken back."""

    wishes: dict[str, Wish] = field(default_factory=dict)  # by key, everything ever asked for
    answers: dict[str, dict[str, Any]] = field(default_factory=dict)  # by key, what was agreed
    states: dict[str, str] = field(default_factory=dict)  # by payment, the last that was shown
    tally: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def ask(self, wish: Wish) -> None:
        """Note a wish before it is sent."""
        with self._lock:
            self.wishes[wish.key] = wish

    def answer(self, wish: Wish, body: dict[str, Any]) -> None:
        """Note a 201; the same key has to get the same payment for ever."""
        agreed = {name: body[name] for name in AGREED}
        with self._lock:
            first = self.answers.setdefault(wish.key, agreed)
            if first is not agreed:
                self.tally["checkouts repeated"] += 1
            if first != agreed:
                self.wrong.append(f"key {wish.key} was answered {first}, then {agreed}")

    def status(self, body: dict[str, Any]) -> None:
        """Note what a payment looks like; it only goes forward."""
        name, now = body["payment_id"], body["status"]
        with self._lock:
            before = self.states.setdefault(name, now)
            if now != before and now not in FORWARD[before]:
                self.wrong.append(f"payment {name} was {before}, then {now}")
            self.states[name] = now

    def complain(self, sentence: str) -> None:
        """Note something that must not happen whatever is killed."""
        with self._lock:
            self.wrong.append(sentence)

    def count(self, what: str) -> None:
        """Note something that may happen."""
        with self._lock:
            self.tally[what] += 1
