"""Renders an H.264 (or H.265) + AAC clip of the asked shape and length.

The clip is what a player expects of Veo's (24 frames a second, stereo sound, index at the front),
with a scene anyone sees to be synthetic.
"""

from __future__ import annotations

import io
import math
import random
import tempfile
import threading
from array import array
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from pathlib import Path
from typing import Any

import av
from av.container import OutputContainer
from av.video.stream import VideoStream
from PIL import Image, ImageOps

from dev.emulator.drawing import Backdrop, Size, caption, mark

FRAMES_PER_SECOND = 24  # the only rate of Veo 3.1
SAMPLE_RATE = 48_000
frame_of: Any = av.VideoFrame.from_image  # without annotations in PyAV
H264 = {"preset": "ultrafast", "crf": "25"}
HEVC = {
    "preset": "ultrafast",
    "crf": "28",
    "x265-params": "log-level=none:pools=none:frame-threads=1",
}
CHORDS = ((220, 277, 330), (196, 247, 294), (262, 330, 392), (174, 220, 262), (233, 294, 349))


class RenderingStoppedError(Exception):
    """The emulator is shutting down."""


@dataclass(frozen=True, slots=True)
class Clip:
    """What decides how a clip looks; equal values give equal bytes.

    ``size`` is in pixels (both even). The images are whole JPEG or PNG files. ``codec`` is ``h264``
    or ``hevc``.
    """

    caption: str
    size: Size
    seconds: int
    seed: int
    sound: bool = True
    pad: bool = False
    first: bytes | None = None
    last: bytes | None = None
    references: tuple[bytes, ...] = ()
    codec: str = "h264"


def _fitted(data: bytes, clip: Clip) -> Image.Image:
    with Image.open(io.BytesIO(data)) as picture:
        picture.draft("RGB", clip.size)
        fit = ImageOps.pad if clip.pad else ImageOps.fit
        return fit(picture.convert("RGB"), clip.size, Image.Resampling.BICUBIC)


class _Scene:
    """The picture behind the caption at any moment."""

    def __init__(self, clip: Clip, rng: random.Random) -> None:
        self._size = clip.size
        self._backdrop = None if clip.first else Backdrop(rng, clip.size)
        self._first = _fitted(clip.first, clip) if clip.first else None
        self._last = _fitted(clip.last, clip) if clip.last else None
        self._cards = [self._card(data) for data in clip.references]
        self._drift = rng.choice((-1, 1)), rng.choice((-1, 1))

    def _card(self, data: bytes) -> Image.Image:
        edge = round(min(self._size) * 0.26)
        with Image.open(io.BytesIO(data)) as picture:
            card = ImageOps.fit(picture.convert("RGB"), (edge, edge), Image.Resampling.BICUBIC)
        return ImageOps.expand(card, max(1, edge // 40), (255, 255, 255))

    def frame(self, moment: float) -> Image.Image:
        """The scene at ``moment``, 0 being the first frame and 1 the last."""
        if self._backdrop is not None:
            picture = self._backdrop.frame(moment * 0.6)
            self._lay_cards(picture, moment)
            return picture
        assert self._first is not None  # noqa: S101 -- either a backdrop or a first frame exists
        picture = self._zoomed(self._first, moment)
        if self._last is None:
            return picture
        arrived = min(1.0, max(0.0, (moment - 0.35) / 0.6))
        blend = arrived * arrived * (3 - 2 * arrived)
        return Image.blend(picture, self._zoomed(self._last, 1 - moment), blend)

    def _zoomed(self, picture: Image.Image, amount: float) -> Image.Image:
        width, height = self._size
        margin = 0.11 * amount
        left = width * margin * (1 + 0.8 * self._drift[0])
        top = height * margin * (1 + 0.8 * self._drift[1])
        box = (left, top, left + width * (1 - 2 * margin), top + height * (1 - 2 * margin))
        return picture.resize(self._size, Image.Resampling.BILINEAR, box)

    def _lay_cards(self, picture: Image.Image, moment: float) -> None:
        count = len(self._cards)
        across = self._size[0] >= self._size[1]
        for number, card in enumerate(self._cards):
            place = (number + 1) / (count + 1)
            sway = 0.025 * math.sin(math.tau * moment + number * 1.4)
            x, y = (place, 0.38 + sway) if across else (0.5 + sway, place * 0.8)
            at = (
                round(x * self._size[0] - card.width / 2),
                round(y * self._size[1] - card.height / 2),
            )
            picture.paste(card, at)


def _pictures(clip: Clip, stop: threading.Event) -> Iterator[Image.Image]:
    rng = random.Random(f"{clip.seed}|{clip.caption}")
    scene = _Scene(clip, rng)
    text, sign = caption(clip.caption, clip.size), mark(clip.size)
    count = clip.seconds * FRAMES_PER_SECOND
    for number in range(count):
        if stop.is_set():
            raise RenderingStoppedError
        picture = scene.frame(number / (count - 1))
        # A given first frame is shown as it is; the caption comes in over the first half second.
        shown = min(1.0, number / 12) if clip.first else 1.0
        (text if shown == 1.0 else text.faded(shown)).put_on(picture)
        sign.put_on(picture)
        yield picture


@lru_cache(maxsize=len(CHORDS))
def _second_of_sound(chord: tuple[int, ...]) -> bytes:
    """One second of a soft pulsing chord; whole frequencies, so that it repeats without a click."""
    samples = array("h")
    for index in range(SAMPLE_RATE):
        at = index / SAMPLE_RATE
        swell = 0.5 - 0.5 * math.cos(math.tau * at)
        value = sum(math.sin(math.tau * tone * at) for tone in chord) / len(chord)
        level = int(6000 * (0.35 + 0.65 * swell) * value)
        samples.append(level)
        samples.append(level)
    return samples.tobytes()


def _sounds(clip: Clip) -> Iterator[av.AudioFrame]:
    chord = random.Random(f"{clip.seed}|{clip.caption}|sound").choice(CHORDS)
    for second in range(clip.seconds):
        frame = av.AudioFrame("s16", "stereo", SAMPLE_RATE)
        frame.sample_rate = SAMPLE_RATE
        frame.pts = second * SAMPLE_RATE
        frame.time_base = Fraction(1, SAMPLE_RATE)
        frame.planes[0].update(_second_of_sound(chord))
        yield frame


def render_video(clip: Clip, stop: threading.Event) -> bytes:
    """The MP4 file of ``clip``. Raises RenderingStoppedError soon after ``stop`` is set."""
    # FFmpeg moves the index to the front by opening the file again, so it needs a real one.
    with tempfile.TemporaryDirectory(prefix="emulator-") as folder:
        path = Path(folder) / "clip.mp4"
        with av.open(str(path), "w", format="mp4", options={"movflags": "+faststart"}) as file:
            _encode(file, clip, stop)
        return path.read_bytes()


def _stream(file: OutputContainer, codec: str) -> VideoStream:
    if codec == "hevc":
        video = file.add_stream("libx265", rate=FRAMES_PER_SECOND, options=HEVC)
        video.codec_context.codec_tag = "hvc1"  # Apple's players refuse hev1, the default
        return video
    return file.add_stream("libx264", rate=FRAMES_PER_SECOND, options=H264)


def _encode(file: OutputContainer, clip: Clip, stop: threading.Event) -> None:
    video = _stream(file, clip.codec)
    video.width, video.height = clip.size
    video.pix_fmt = "yuv420p"
    video.codec_context.thread_count = 1  # two renders at once on two cores; no gain inside one
    sound = file.add_stream("aac", rate=SAMPLE_RATE) if clip.sound else None
    sounds = _sounds(clip)
    for number, picture in enumerate(_pictures(clip, stop)):
        frame = frame_of(picture)
        frame.pts = number
        frame.time_base = Fraction(1, FRAMES_PER_SECOND)
        file.mux(video.encode(frame))
        if sound is not None and number % FRAMES_PER_SECOND == 0:
            file.mux(sound.encode(next(sounds)))
    file.mux(video.encode(None))
    if sound is not None:
        file.mux(sound.encode(None))
