"""What the command line decides."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from dev.emulator.drawing import Size

# Seconds. Fast and standard lie in the ranges our API documents, and one real run took 86 s.
LATENCY_FAST = 45.0
LATENCY_STANDARD = 70.0
LATENCY_OMNI = 90.0  # a guess: nobody has published one
LATENCY_IMAGE = 6.0

# Landscape pixels, and by how much the pictures of the image models are scaled.
VIDEO_SIZES: dict[str, Size] = {"small": (320, 180), "720p": (1280, 720)}
# What these pixels are multiplied by. Real 1080p and 4k files would take minutes to render.
RESOLUTION_SCALES = {"360p": 0.5, "720p": 1.0, "1080p": 1.5, "4k": 3.0}
IMAGE_SCALES = {"small": 0.25, "720p": 1.0}


@dataclass(frozen=True, slots=True)
class Options:
    """``latency`` is seconds by kind of model: ``fast``, ``standard``, ``omni``, ``image``.

    ``plain`` gives all requests of one shape the same file; ``replay`` is that file for all videos.
    """

    data_dir: Path
    size: str
    latency: dict[str, float]
    plain: bool = False
    threads: int = 2
    replay: bytes | None = None

    def video_size(self, aspect_ratio: str, resolution: str) -> Size:
        """Pixels of a video in ``16:9`` or ``9:16``; both even, as the codecs want them."""
        width, height = (
            round(each * RESOLUTION_SCALES[resolution]) for each in VIDEO_SIZES[self.size]
        )
        return (width, height) if aspect_ratio == "16:9" else (height, width)

    @property
    def image_scale(self) -> float:
        """What the sizes of the image models are multiplied by."""
        return IMAGE_SCALES[self.size]
