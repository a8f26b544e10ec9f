"""Decodes one hostile image and writes a new one: a program of its own, with little to lose.

Image decoders are large C libraries, and a kilobyte can ask them for gigabytes. This file is run
by :mod:`generation.source_images` in a process that holds no secret and has hard limits; a decoder
that crashes or eats its limit takes only this process along. It reads the image from standard
input and writes its new media type, a line feed and the new image to standard output; status 0
means that it did. It imports the standard library and Pillow only, so that it starts in 50 ms.
"""

from __future__ import annotations

import io
import re
import resource
import sys
import warnings

from PIL import Image, ImageOps

MAX_BYTES = 20_000_000  # in and out
MAX_PIXELS = 25_000_000
MAX_SIDE = 8192
FORMATS = ("JPEG", "PNG", "WEBP")
# Honest encoders write about ten; each costs the time of the whole picture.
MAX_SCANS = 100
MEMORY_BYTES = 1 << 30
CPU_SECONDS = 3  # 25 megapixels take about 1, of a PNG of 10 MB about 2

_MAX_PNG_BYTES = 10_000_000  # packing more of it as PNG again would take longer than that
_MAX_MARKERS = 10_000
_MARKER = re.compile(rb"\xff[^\x00\xff]")  # FF 00 is a byte of the picture, FF FF a filler
_START_OF_SCAN, _END_OF_IMAGE = 0xDA, 0xD9
_WITHOUT_LENGTH = {0x01, *range(0xD0, 0xD9)}  # ITU T.81, table B.1
_JPEG_QUALITY = 95
_JPEG_QUALITY_WHEN_TOO_LARGE = 85


class Refused(Exception):
    """Not an image we take; the words are for the operator's log."""


def reencode(data: bytes) -> tuple[str, bytes]:
    """(media type, bytes) of the same picture, drawn anew: upright, RGB, without any metadata.

    A PNG of up to 10 MB stays one unless that is over 20 MB, everything else becomes JPEG.
    Transparent parts become white, because what a provider would make of them is not defined.
    Raises Refused, or whatever Pillow raises for a broken image.
    """
    with Image.open(io.BytesIO(data), formats=FORMATS) as image:
        # Phones store a depth map or a preview behind the photo (MPO); the first one is the photo.
        if getattr(image, "n_frames", 1) != 1 and image.format != "MPO":
            raise Refused("animated")
        if max(image.size) > MAX_SIDE or image.width * image.height > MAX_PIXELS:
            raise Refused("too large")
        if image.format != "PNG" and scans(data) > MAX_SCANS:
            raise Refused("too many scans")
        keep_png = image.format == "PNG" and len(data) <= _MAX_PNG_BYTES
        ImageOps.exif_transpose(image, in_place=True)
        picture = _on_white(image)
    if keep_png:
        result = _encoded(picture, "PNG", compress_level=4)
        if len(result) <= MAX_BYTES:
            return "image/png", result
    for quality in (_JPEG_QUALITY, _JPEG_QUALITY_WHEN_TOO_LARGE):
        result = _encoded(picture, "JPEG", quality=quality)
        if len(result) <= MAX_BYTES:
            return "image/jpeg", result
    raise Refused("too many bytes")


def scans(data: bytes) -> int:
    """How many scans a decoder of JPEG will find, without decoding any; 0 for other formats.

    Goes from marker to marker up to the end of the image: what cameras put behind it (a film, a
    preview) may hold any bytes. Raises Refused for more markers than any camera writes.
    """
    count, position = 0, 0
    for _ in range(_MAX_MARKERS):
        found = _MARKER.search(data, position)
        if found is None or data[:2] != b"\xff\xd8":
            return count
        marker, position = data[found.end() - 1], found.end()
        if marker == _END_OF_IMAGE:
            return count
        if marker not in _WITHOUT_LENGTH:
            count += marker == _START_OF_SCAN
            position += int.from_bytes(data[position : position + 2], "big")
    raise Refused("too many markers")


def _on_white(image: Image.Image) -> Image.Image:
    """A fresh RGB image: nothing of ``info`` (EXIF, text, colour profile) comes along."""
    if image.mode.startswith("I"):  # 16-bit grey; Pillow's own conversion would clip it to white
        image = image.convert("I").point(lambda value: value * (1 / 256)).convert("L")
    picture = Image.new("RGB", image.size, "white")
    if image.has_transparency_data:
        layer = image if image.mode == "RGBA" else image.convert("RGBA")
        picture.paste(layer, mask=layer)
    else:
        picture.paste(image if image.mode == "RGB" else image.convert("RGB"))
    return picture


def _encoded(picture: Image.Image, file_format: str, **options: int) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, file_format, **options)
    return buffer.getvalue()


def _limit_ourselves() -> None:
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
    if sys.platform == "linux":  # other kernels refuse or ignore it
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    warnings.simplefilter("error")
    Image.MAX_IMAGE_PIXELS = MAX_PIXELS


def main() -> None:
    """Standard input to standard output; a refusal is an uncaught exception, status 1."""
    _limit_ourselves()
    data = sys.stdin.buffer.read(MAX_BYTES + 1)
    if len(data) > MAX_BYTES:
        raise Refused("too many bytes")
    mime_type, result = reencode(data)
    sys.stdout.buffer.write(mime_type.encode() + b"\n" + result)
    sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
