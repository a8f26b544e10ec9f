"""Decodes one hostile image and writes a new one: a program of its own, with little to lose.

The image comes by standard input, the new one goes to standard output. With status 0 its last words
to standard error are media type, width and height. To start in 50 ms it imports only Pillow and
``image_`` files (decision 105).
"""

from __future__ import annotations

import io
import os
import re
import resource
import sys
import warnings
from pathlib import Path

from PIL import Image, ImageCms, ImageFile, JpegImagePlugin, PngImagePlugin, WebPImagePlugin

if not __package__:  # run by its path; -I keeps all folders of ours out of sys.path
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent.parent))

from generation.inputs import image_colours, image_sandbox
from generation.inputs.image_container import take_apart
from generation.inputs.image_limits import ANIMATED, TOO_LARGE
from generation.inputs.image_limits import MAX_BYTES as MAX_BYTES
from generation.inputs.image_limits import MAX_PIXELS as MAX_PIXELS
from generation.inputs.image_limits import MAX_SIDE as MAX_SIDE

# Imported by name: Pillow would look for others, and load all it has for one that is not there.
FORMATS = tuple(
    plugin.format
    for plugin in (
        JpegImagePlugin.JpegImageFile,
        PngImagePlugin.PngImageFile,
        WebPImagePlugin.WebPImageFile,
    )
)
# Honest encoders write about ten; each costs the time of the whole picture.
MAX_SCANS = 100
MEMORY_BYTES = 1 << 30
CPU_SECONDS = 3  # 25 megapixels take about 1, of a PNG of 10 MB about 2

_MAX_PNG_BYTES = 10_000_000  # packing more of it as PNG again would take longer than that
_MAX_MARKERS = 10_000
# FF 00 is a byte of the picture, FF FF a filler, FF D0 to D7 the restarts within a scan
_MARKER = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")
_START_OF_SCAN, _END_OF_IMAGE = 0xDA, 0xD9
_WITHOUT_LENGTH = {0x01, 0xD8}  # ITU T.81, table B.1
_JPEG_QUALITY = 95
_JPEG_QUALITY_WHEN_TOO_LARGE = 85
_TURNS = {  # EXIF's orientation: what makes it upright
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


class Refused(Exception):
    """Not an image we take; the words are for the operator's log."""


def reencode(data: bytes) -> tuple[str, bytes, tuple[int, int]]:
    """(media type, bytes, width and height) of the same picture, drawn anew.

    It is upright, in sRGB and without any metadata.

    A PNG of up to 10 MB stays one unless that is over 20 MB, everything else becomes JPEG.
    Transparent parts become white. Only the pixels and our own limits decide: see
    :mod:`generation.inputs.image_container`. Raises Refused, UnknownContainer, or whatever Pillow
    raises for a broken image.
    """
    parts = take_apart(data)
    with Image.open(io.BytesIO(parts.picture), formats=FORMATS) as image:
        if parts.animated or getattr(image, "n_frames", 1) != 1:
            raise Refused(ANIMATED)
        if max(image.size) > MAX_SIDE or image.width * image.height > MAX_PIXELS:
            raise Refused(TOO_LARGE)
        if image.format != "PNG" and scans(parts.picture) > MAX_SCANS:
            raise Refused("too many scans")
        keep_png = image.format == "PNG" and len(data) <= _MAX_PNG_BYTES
        opaque = _key_of_16_bits(image, parts.picture)
        picture = image_colours.plain_rgb(image, parts.profile, opaque)
    if parts.orientation in _TURNS:
        picture = picture.transpose(_TURNS[parts.orientation])
    if keep_png:
        result = _encoded(picture, "PNG", compress_level=4)
        if len(result) <= MAX_BYTES:
            return "image/png", result, picture.size
    for quality in (_JPEG_QUALITY, _JPEG_QUALITY_WHEN_TOO_LARGE):
        result = _encoded(picture, "JPEG", quality=quality)
        if len(result) <= MAX_BYTES:
            return "image/jpeg", result, picture.size
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


def _key_of_16_bits(image: ImageFile.ImageFile, data: bytes) -> Image.Image | None:
    """Where a PNG of 16 bits a colour is opaque (mode L), if one colour means transparent.

    Pillow keeps the high byte of each value only, and then finds no pixel of that colour.
    """
    if image.tile[:1] and image.tile[0].args == "RGB;16B" and "transparency" in image.info:
        key = image.info.pop("transparency")
        with Image.open(io.BytesIO(data), formats=("PNG",)) as low:
            low.tile = [low.tile[0]._replace(args="RGB;16L")]
            return image_colours.low_bytes_differ(image, low, key)
    return None


def _encoded(picture: Image.Image, file_format: str, **options: int) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, file_format, **options)
    return buffer.getvalue()


def _limit_ourselves() -> None:
    # Behind everybody else's work, yet not without a turn: on a machine that is full it still gets
    # a third of what another process gets. (With 10 it was a ninth, and small pictures were too
    # late.)
    os.nice(5)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
    if sys.platform == "linux":  # other kernels refuse or ignore it
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    warnings.simplefilter("ignore")  # the limits below say what they say, and harder
    Image.MAX_IMAGE_PIXELS = MAX_PIXELS


def _load_everything() -> None:
    """Meet every kind of picture once, so that nothing is left to be loaded from files later."""
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    for file_format, modes in {
        "JPEG": ("L", "RGB", "CMYK"),
        "PNG": ("1", "L", "LA", "P", "RGB", "RGBA", "I;16"),
        "WEBP": ("RGB", "RGBA"),
    }.items():
        for mode in modes:
            buffer = io.BytesIO()
            Image.new(mode, (2, 2)).save(buffer, file_format, icc_profile=profile)
            reencode(buffer.getvalue())
    _encoded(Image.new("RGB", (2, 2)).transpose(_TURNS[6]), "JPEG", quality=_JPEG_QUALITY)


def _complain(kind: type[BaseException], error: BaseException, _: object) -> None:
    """In place of Python's own hook, which loads modules and reads our source files."""
    sys.stderr.write(f"{kind.__name__}: {error}\n")


def main() -> None:
    """Standard input to standard output; a refusal is an uncaught exception, status 1."""
    sys.excepthook = _complain
    _limit_ourselves()
    _load_everything()
    data = sys.stdin.buffer.read(MAX_BYTES + 1)
    if len(data) > MAX_BYTES:
        raise Refused("too many bytes")
    image_sandbox.seal()  # from here on a stranger's bytes are looked at
    mime_type, result, (width, height) = reencode(data)
    sys.stdout.buffer.write(result)
    sys.stdout.buffer.flush()
    sys.stderr.write(f"{mime_type} {width} {height}\n")


if __name__ == "__main__":
    main()
