"""Images for the tests, friendly and hostile."""

from __future__ import annotations

import io
import random
import struct
import zlib
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


def blank_png(width: int, height: int) -> bytes:
    """Of one bit a pixel, written row by row: Pillow would hold a byte for each."""
    packer = zlib.compressobj(1)
    row = bytes(1 + (width + 7) // 8)
    data = b"".join(packer.compress(row) for _ in range(height)) + packer.flush()
    header = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", data), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(*each) for each in chunks)


def _chunk(kind: bytes, content: bytes) -> bytes:
    checksum = zlib.crc32(kind + content)
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", checksum)


def opened(data: bytes) -> Image.Image:
    return Image.open(io.BytesIO(data))


def pixel_at(image: Image.Image, x: int, y: int = 0) -> tuple[int, ...]:
    """A pixel of an RGB image."""
    pixel = image.getpixel((x, y))
    assert isinstance(pixel, tuple)
    return pixel
