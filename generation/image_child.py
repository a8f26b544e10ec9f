"""Decodes one hostile image and writes a new one: a program of its own, with little to lose.

Image decoders are large C libraries, and a kilobyte can ask them for gigabytes. This file is run
by :mod:`generation.source_images` in a process that holds no secret and has hard limits; a decoder
that crashes or eats its limit takes only this process along. It reads the image from standard
input and writes its new media type, a line feed and the new image to standard output; status 0
means that it did. It imports the standard library and Pillow only, so that it starts in 50 ms.
"""

from __future__ import annotations

import io
import resource
import sys
import warnings

from PIL import Image, ImageOps

MAX_BYTES = 20_000_000  # in and out
MAX_PIXELS = 25_000_000
MAX_SIDE = 8192
FORMATS = ("JPEG", "PNG", "WEBP")
MEMORY_BYTES = 1 << 30
CPU_SECONDS = 10

_JPEG_QUALITY = 95
_JPEG_QUALITY_WHEN_TOO_LARGE = 85


class Refused(Exception):
    """Not an image we take; the words are for the operator's log."""


def reencode(data: bytes) -> tuple[str, bytes]:
    """(media type, bytes) of the same picture, drawn anew: upright, RGB, without any metadata.

    PNG stays PNG unless that is over 20 MB, everything else becomes JPEG. Transparent parts become
    white, because what a provider would make of them is not defined. Raises Refused, or whatever
    Pillow raises for a broken image.
    """
    with Image.open(io.BytesIO(data), formats=FORMATS) as image:
        # Phones store a depth map or a preview behind the photo (MPO); the first one is the photo.
        if getattr(image, "n_frames", 1) != 1 and image.format != "MPO":
            raise Refused("animated")
        if max(image.size) > MAX_SIDE or image.width * image.height > MAX_PIXELS:
            raise Refused("too large")
        keep_png = image.format == "PNG"
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
