"""Real MP4 files, small enough for a test."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import av

WIDTH, HEIGHT, FRAMES, RATE = 64, 36, 24, 24
OPTIONS = {
    "libx264": {"preset": "ultrafast"},
    "libx265": {"preset": "ultrafast", "x265-params": "log-level=none"},
}


def write_video(
    path: Path, *, codec: str = "libx264", tag: str = "", sound: bool = True, **muxer_options: str
) -> Path:
    """One second of grey getting brighter, with silence; ``tag`` names the codec in the file."""
    with av.open(str(path), "w", options=muxer_options) as container:
        stream: Any = container.add_stream(codec, rate=RATE)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        stream.options = OPTIONS.get(codec, {})
        if tag:
            stream.codec_context.codec_tag = tag
        audio: Any = container.add_stream("aac", rate=48_000) if sound else None
        for number in range(FRAMES):
            container.mux(stream.encode(_picture(number)))
        container.mux(stream.encode())
        if audio is not None:
            for number in range(46):
                container.mux(audio.encode(_silence(number)))
            container.mux(audio.encode())
    return path


def _picture(number: int) -> Any:
    frame = av.VideoFrame(WIDTH, HEIGHT, "yuv420p")
    for plane in frame.planes:
        plane.update(bytes([number * 9]) * plane.buffer_size)
    frame.pts, frame.time_base = number, Fraction(1, RATE)
    return frame


def _silence(number: int) -> Any:
    frame = av.AudioFrame("fltp", "stereo", 1024)
    frame.sample_rate, frame.pts, frame.time_base = 48_000, number * 1024, Fraction(1, 48_000)
    for plane in frame.planes:
        plane.update(bytes(plane.buffer_size))
    return frame
