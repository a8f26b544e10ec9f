"""What the customers wrote down: every answer they got, and everything that was wrong with one."""

from __future__ import annotations

import threading
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from dev.chaos.orders import Order

LINKS = ("video_url", "image_url", "expires_at")  # they are made anew each time


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
    ends: dict[str, dict[str, Any]] = field(default_factory=dict)  # by generation, as first told
    ways: Counter[str] = field(default_factory=Counter)  # by which ends were told
    differ: list[str] = field(default_factory=list)  # ends that two ways told differently
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

    def status(self, body: dict[str, Any], way: str = "poll") -> None:
        """Note a status; an end is final and progress never goes back."""
        name, status, progress = body["id"], body["status"], body["progress"]
        with self._lock:
            seen = self.seen[name]
            if seen.status not in ("processing", status):
                self.wrong.append(f"{name} was {seen.status}, then {status}")
            if seen.status == status == "processing" and progress < seen.progress:
                self.wrong.append(f"{name} went back from {seen.progress} to {progress}")
            seen.status, seen.progress = status, progress
        self.end(way, body)

    def end(self, way: str, body: dict[str, Any]) -> None:
        """Compare an end with what was told of it before, in whichever way."""
        if body["status"] == "processing":
            return
        same = without_links(body)
        with self._lock:
            self.ways[way] += 1
            first = self.ends.setdefault(body["id"], same)
            for name in sorted(first.keys() | same.keys()):
                if first.get(name, "none") != same.get(name, "none"):
                    said = f"{same.get(name)!r}, before that {first.get(name)!r}"
                    self.differ.append(f"{body['id']}: by {way} {name} was {said}")

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
        self.end("list", event["data"])

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


def without_links(body: dict[str, Any]) -> dict[str, Any]:
    """What every way has to tell alike."""
    return {name: value for name, value in body.items() if name not in LINKS}
