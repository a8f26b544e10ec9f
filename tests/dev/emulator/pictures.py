"""Small images to send, and what is found inside rendered files."""

from __future__ import annotations

import base64
import io
from typing import Any

import av
from PIL import Image, ImageChops, ImageStat

RED, BLUE = (200, 30, 30), (30, 40, 200)


def plain_image(color: tuple[int, int, int], kind: str = "PNG") -> bytes:
    target = io.BytesIO()
    Image.new("RGB", (320, 180), color).save(target, kind)
    return target.getvalue()


def image_field(data: bytes, mime_type: str = "image/png") -> dict[str, str]:
    return {"bytesBase64Encoded": base64.b64encode(data).decode(), "mimeType": mime_type}


def probe(data: bytes) -> dict[str, Any]:
    """Codecs, size, length, and the first, middle and last frame of an MP4."""
    with av.open(io.BytesIO(data), "r") as file:
        video, sounds = file.streams.video[0], file.streams.audio
        frames = list(file.decode(video))
        return {
            "codecs": (video.codec_context.name, *(each.codec_context.name for each in sounds)),
            "tag": video.codec_context.codec_tag,
            "channels": sounds[0].codec_context.channels if sounds else 0,
            "rate": float(video.average_rate or 0),
            "seconds": (file.duration or 0) / 1_000_000,
            "size": (video.width, video.height),
            "frames": len(frames),
            "first": frames[0].to_image(),
            "middle": frames[len(frames) // 2].to_image(),
            "last": frames[-1].to_image(),
        }


def difference(one: Image.Image, other: Image.Image) -> float:
    """Mean difference of two pictures, 0 (equal) to 255."""
    means = ImageStat.Stat(ImageChops.difference(one, other)).mean
    return sum(means) / len(means)


def color_at(picture: Image.Image, x: float, y: float) -> tuple[int, ...]:
    """The color at a place given in shares of width and height."""
    pixel = picture.getpixel((int(picture.width * x), int(picture.height * y)))
    assert isinstance(pixel, tuple)
    return tuple(int(value) for value in pixel)
