"""Counts of what was asked and bought, so that a test can prove that nothing was bought twice."""

from __future__ import annotations

import time
from collections import Counter, deque
from typing import Any

LABEL_VALUES_KEPT = 100_000
INTERVALS_KEPT = 200_000


class Tally:
    """Counters since the start or the last reset."""

    def __init__(self) -> None:
        self.clear()

    def clear(self) -> None:
        """Set every counter to zero."""
        self.requests: Counter[str] = Counter()
        self.videos = 0
        self.images = 0
        self._accepted: dict[str, dict[str, int]] = {}
        self._billed: dict[str, dict[str, int]] = {}
        self._rejected: dict[str, dict[str, int]] = {}
        self._rejected_count = 0
        self._turned_away: dict[tuple[str, str], int] = {}
        self._polled: dict[str, float] = {}
        self._intervals: deque[float] = deque(maxlen=INTERVALS_KEPT)

    def poll(self, name: str) -> None:
        """Count a poll, and how long after the last one of the same operation it came."""
        self.requests["poll"] += 1
        now = time.monotonic()
        last = self._polled.pop(name, None)
        if last is not None:
            self._intervals.append(now - last)
        self._polled[name] = now
        _trim(self._polled)

    def accept_video(self, labels: dict[str, str]) -> None:
        """Count a video operation, which is under way even if its answer is lost."""
        self.videos += 1
        _count(self._accepted, labels)

    def accept_image(self, labels: dict[str, str]) -> None:
        """Count an image that is being made, likewise."""
        self.images += 1
        _count(self._accepted, labels)

    def bill(self, labels: dict[str, str]) -> None:
        """Count an operation that ended with a file; Google bills no other."""
        _count(self._billed, labels)

    def reject(self, labels: dict[str, str]) -> None:
        """Count a submission that was certainly not taken."""
        self._rejected_count += 1
        _count(self._rejected, labels)

    def turned_away(self, word: str, prompt: str) -> int:
        """How often ``prompt`` came to its marker ``word``, this time included."""
        count = self._turned_away.pop((word, prompt), 0) + 1
        self._turned_away[word, prompt] = count
        _trim(self._turned_away)
        return count

    def as_dict(self) -> dict[str, Any]:
        """The answer of ``GET /emulator/stats``."""
        return {
            "operations": self.videos + self.images,
            "videos": self.videos,
            "images": self.images,
            "rejected": self._rejected_count,
            "by_label": self._accepted,
            "billed_by_label": self._billed,
            "rejected_by_label": self._rejected,
            "requests": dict(self.requests),
            "poll_interval_s": _percentiles(self._intervals),
        }


def _count(table: dict[str, dict[str, int]], labels: dict[str, str]) -> None:
    for key, value in labels.items():
        values = table.setdefault(key, {})
        values[value] = values.get(value, 0) + 1
        _trim(values)


def _percentiles(values: deque[float]) -> dict[str, float]:
    """Of seconds; empty when nothing was polled twice."""
    ordered = sorted(values)
    if not ordered:
        return {}
    places = {"p50": 0.5, "p95": 0.95, "p99": 0.99, "max": 1.0}
    last = len(ordered) - 1
    return {name: round(ordered[round(last * share)], 3) for name, share in places.items()}


def _trim(values: dict[Any, Any]) -> None:
    # A soak test makes ever new labels; the oldest ones are let go.
    while len(values) > LABEL_VALUES_KEPT:
        del values[next(iter(values))]
