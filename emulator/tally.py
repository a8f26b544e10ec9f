"""Counts of what was asked and bought, so that a test can prove that nothing was bought twice."""

from __future__ import annotations

from collections import Counter
from typing import Any

LABEL_VALUES_KEPT = 100_000


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
        self._rejected: dict[str, dict[str, int]] = {}
        self._rejected_count = 0
        self._busy: dict[str, int] = {}

    def accept_video(self, labels: dict[str, str]) -> None:
        """Count a video operation: from here on it is paid for, whether the answer arrives."""
        self.videos += 1
        _count(self._accepted, labels)

    def accept_image(self, labels: dict[str, str]) -> None:
        """Count a generated image, paid for likewise."""
        self.images += 1
        _count(self._accepted, labels)

    def reject(self, labels: dict[str, str]) -> None:
        """Count a submission that was certainly not taken."""
        self._rejected_count += 1
        _count(self._rejected, labels)

    def seen_busy(self, prompt: str) -> int:
        """How often ``prompt`` was already turned away as busy, this time included."""
        count = self._busy.pop(prompt, 0) + 1
        self._busy[prompt] = count
        _trim(self._busy)
        return count

    def as_dict(self) -> dict[str, Any]:
        """The answer of ``GET /emulator/stats``."""
        return {
            "operations": self.videos + self.images,
            "videos": self.videos,
            "images": self.images,
            "rejected": self._rejected_count,
            "by_label": self._accepted,
            "rejected_by_label": self._rejected,
            "requests": dict(self.requests),
        }


def _count(table: dict[str, dict[str, int]], labels: dict[str, str]) -> None:
    for key, value in labels.items():
        values = table.setdefault(key, {})
        values[value] = values.get(value, 0) + 1
        _trim(values)


def _trim(values: dict[str, int]) -> None:
    # A soak test makes ever new labels; the oldest ones are let go.
    while len(values) > LABEL_VALUES_KEPT:
        del values[next(iter(values))]
