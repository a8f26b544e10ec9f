"""What the customers order, and which fault of the provider each order provokes."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Any

VIDEO = "/api/v1/generate/video/"
IMAGE = "/api/v1/generate/"
IMAGE_SHARE = 0.1
WITH_PICTURES = 0.2  # of the videos

# Markers of the emulator (dev/emulator/README.md) and the share in percent of the videos that get
# one.
DELIVERED_ALL_THE_SAME = {
    "accepted-then-no-answer": 4.0,
    "accepted-then-reset": 3.0,
    "accepted-then-502": 3.0,
    "busy=1": 4.0,
    "busy=3": 2.0,
    "overloaded=1": 3.0,
    "overloaded=3": 1.0,
    "unavailable=2": 5.0,
    "gone": 2.0,
}
NEVER_DELIVERED = {
    "html502": 2.0,
    "error": 4.0,
    "filtered": 4.0,
    "filtered=prompt": 1.0,
    "gone=empty": 1.0,
    "empty": 1.0,
    "rejected": 1.0,
    "truncated=connection": 3.0,
    "truncated=file": 1.0,
    "never": 1.0,
}
MARKERS = DELIVERED_ALL_THE_SAME | NEVER_DELIVERED
OVERLOADED_IMAGES = 0.1  # the share of the pictures that are turned away once
# Bought, without a file that anybody could be given.
FILELESS = {"error", "filtered", "filtered=prompt", "gone=empty", "empty", "never"}


@dataclass(frozen=True, slots=True)
class Order:
    """One thing that a customer wants, however often it has to be asked for."""

    secret: str
    key: str
    path: str
    body: dict[str, Any]
    marker: str = ""


def draw(chance: random.Random, secret: str, key: str, picture: str) -> Order:
    """A random order; ``picture`` is a URL for those that begin with one."""
    if chance.random() < IMAGE_SHARE:
        marker = "overloaded=1" if chance.random() < OVERLOADED_IMAGES else ""
        return Order(secret, key, IMAGE, {"prompt": _prompt("picture", key, marker)}, marker)
    marker = _marker(chance)
    prompt = _prompt("clip", key, marker)
    model = "veo3" if chance.random() < 0.2 else "veo3_fast"
    body: dict[str, Any] = {"prompt": prompt, "video_model": model}
    if chance.random() < WITH_PICTURES:
        body["source_image_urls"] = [picture] * chance.choice([1, 2, 3])
    return Order(secret, key, VIDEO, body, marker)


def _prompt(what: str, key: str, marker: str) -> str:
    """Unique by its key: busy=3 and overloaded=3 count by prompt."""
    return f"A {what}, {key}" + (f" [emulator:{marker}]" if marker else "")


def _marker(chance: random.Random) -> str:
    names = ["", *MARKERS]
    shares = [100.0 - sum(MARKERS.values()), *MARKERS.values()]
    return chance.choices(names, shares)[0]
