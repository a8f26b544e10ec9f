"""Images for the tests, friendly and hostile."""

from __future__ import annotations

import io
import random
from typing import Any

from PIL import Image


def encoded(image: Image.Image, file_format: str, **options: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, file_format, **options)
    return buffer.getvalue()


def halves(width: int = 40, height: int = 20, mode: str = "RGB") -> Image.Image:
    """Left half red, right half blue."""
    image = Image.new("RGB", (width, height), "red")
    image.paste("blue", (width // 2, 0, width, height))
    return image.convert(mode)


def noise(width: int, height: int) -> bytes:
    """A PNG that cannot be packed: three bytes a pixel."""
    picture = Image.frombytes(
        "RGB", (width, height), random.Random(7).randbytes(width * height * 3)
    )
    return encoded(picture, "PNG", compress_level=0)


def opened(data: bytes) -> Image.Image:
    return Image.open(io.BytesIO(data))


def pixel_at(image: Image.Image, x: int, y: int = 0) -> tuple[int, ...]:
    """A pixel of an RGB image."""
    pixel = image.getpixel((x, y))
    assert isinstance(pixel, tuple)
    return pixel
