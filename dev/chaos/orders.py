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
# Besides these, of the second backend's.
OF_OMNI = {"unlisted": 4.0, "status=idle": 4.0}
NEVER_OF_OMNI = {"refused-in-words": 2.0}
REFUSED = {*NEVER_DELIVERED, *NEVER_OF_OMNI}
MODELS = {"veo3_fast": 50.0, "veo3": 20.0, "omni": 30.0}
UPLOADED = 0.4  # of the source images
RESOLUTIONS = {"720p": 80.0, "1080p": 12.0, "4k": 8.0}
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


def draw(chance: random.Random, secret: str, key: str, picture: str, upload: str) -> Order:
    """A random order; ``picture`` and ``upload`` are two ways to name a source image."""
    if chance.random() < IMAGE_SHARE:
        marker = "overloaded=1" if chance.random() < OVERLOADED_IMAGES else ""
        return Order(secret, key, IMAGE, {"prompt": _prompt("picture", key, marker)}, marker)
    model = _one_of(chance, MODELS)
    marker = _marker(chance, OF_OMNI | NEVER_OF_OMNI if model == "omni" else {})
    prompt = _prompt("clip", key, marker)
    body: dict[str, Any] = {"prompt": prompt, "video_model": model}
    if chance.random() < WITH_PICTURES:
        count = chance.choice([1, 2, 3])
        names = [upload if chance.random() < UPLOADED else picture for _ in range(count)]
        body["source_image_urls"] = names
    return Order(secret, key, VIDEO, body | _parameters(chance, model, body), marker)


def _parameters(chance: random.Random, model: str, body: dict[str, Any]) -> dict[str, Any]:
    """Some that go together, half of the time; else the defaults."""
    if chance.random() < 0.5:
        return {}
    resolution = _one_of(chance, RESOLUTIONS)
    if model == "omni":
        return {"resolution": resolution, "duration": chance.randint(3, 10), "seed": 7}
    bound = resolution != "720p" or len(body.get("source_image_urls", ())) == 3
    return {
        "resolution": resolution,
        "duration": 8 if bound else chance.choice([4, 6, 8]),
        "generate_audio": chance.random() < 0.5,
        "seed": chance.randrange(2**32),
        "negative_prompt": "rain",
    }


def _prompt(what: str, key: str, marker: str) -> str:
    """Unique by its key: busy=3 and overloaded=3 count by prompt."""
    return f"A {what}, {key}" + (f" [emulator:{marker}]" if marker else "")


def _marker(chance: random.Random, more: dict[str, float]) -> str:
    shares = MARKERS | more
    return _one_of(chance, {"": 100.0 - sum(shares.values())} | shares)


def _one_of(chance: random.Random, shares: dict[str, float]) -> str:
    return chance.choices(list(shares), list(shares.values()))[0]
