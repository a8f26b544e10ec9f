"""The limits of an image, for modules that load no decoder."""

from __future__ import annotations

from pathlib import Path

MAX_BYTES = 20_000_000  # in and out
MAX_PIXELS = 25_000_000
MAX_SIDE = 8192
DECODE_SECONDS = 20.0  # by the wall; of CPU time the child has 3 s
CHILD = str(Path(__file__).resolve().with_name("image_child.py"))
ANIMATED, TOO_LARGE = "animated", "too large"  # the child's last words about such an image
