"""What the customers wrote down: every answer they got, and everything that was wrong with one."""

from __future__ import annotations

import threading
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from dev.chaos.orders import Order


@dataclass(slots=True)
class Seen:
    """The last that a customer saw of a generation."""

    status: str = "processing"
    progress: float = 0.0
    sha256: str = ""  # of the file that was fetched through its link


@dataclass(slots=True)
class Book:
    """Shared by all customers; what is written is never taken back."""

    orders: dict[str, Order] = field(default_factory=dict)  # by key, everything ever asked for
    answers: dict[str, dict[str, Any]] = field(default_factory=dict)  # by key, the first 201
    seen: dict[str, Seen] = field(default_factory=dict)  # by generation
    told: dict[str, str] = field(default_factory=dict)  # by generation, as its event told the end
    cursors: dict[str, str] = field(default_factory=dict)  # by secret, where its log was read up to
    tally: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    slowest_create: float = 0.0  # seconds, of those that answered 201
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def ask(self, order: Order) -> None:
        """Note an order before it is sent."""
        with self._lock:
            self.orders[order.key] = order

    def answer(self, order: Order, data: dict[str, Any], seconds: float) -> None:
        """Note a 201; the same key has to get the same data for ever."""
        with self._lock:
            first = self.answers.setdefault(order.key, data)
            self.slowest_create = max(self.slowest_create, seconds)
            if first is data:
                self.seen[data["generation_id"]] = Seen()
            else:
                self.tally["replays"] += 1
                if first != data:
                    self.wrong.append(f"key {order.key} was answered {first}, then {data}")

    def status(self, body: dict[str, Any]) -> None:
        """Note a status; an end is final and progress never goes back."""
        name, status, progress = body["id"], body["status"], body["progress"]
        with self._lock:
            seen = self.seen[name]
            if seen.status not in ("processing", status):
                self.wrong.append(f"{name} was {seen.status}, then {status}")
            if seen.status == status == "processing" and progress < seen.progress:
                self.wrong.append(f"{name} went back from {seen.progress} to {progress}")
            seen.status, seen.progress = status, progress

    def event(self, event: dict[str, Any]) -> None:
        """Note what the log of ends tells; each end comes once, and the body agrees with it."""
        name, status = event["data"]["id"], event["data"]["status"]
        with self._lock:
            if name in self.told:
                self.wrong.append(f"{name} was told of twice, the second time by {event['id']}")
            if event["type"] != f"generation.{status}":
                self.wrong.append(f"{event['id']} is {event['type']} of what is {status}")
            self.told[name] = status
            self.tally["events"] += 1

    def file(self, generation_id: str, sha256: str) -> None:
        with self._lock:
            self.seen[generation_id].sha256 = sha256
            self.tally["files fetched"] += 1

    def complain(self, sentence: str) -> None:
        """Note something that must not happen whatever is killed."""
        with self._lock:
            self.wrong.append(sentence)

    def count(self, what: str) -> None:
        """Note something that may happen."""
        with self._lock:
            self.tally[what] += 1
