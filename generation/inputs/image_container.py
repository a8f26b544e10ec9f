"""Takes an image file apart: what makes its pixels, and the little that we read of the rest.

Pillow's parsers of metadata warn, raise or misread. So it gets the same picture without any: what
makes pixels is copied unchanged, all else is left out. Whether it is broken is for the decoder to
say.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field

from generation.inputs import image_metadata

# JPEG: ITU T.81, annex B. PNG: third edition, section 5. WebP: RFC 9649, section 2.
_PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_ALONE = {0x00, 0x01, *range(0xD0, 0xDA)}  # markers without a length; 00 is no marker at all
_START_OF_SCAN, _APP0, _APP1, _APP2, _APP14, _COMMENT = 0xDA, 0xE0, 0xE1, 0xE2, 0xEE, 0xFE
_XMP_IN_JPEG = b"http://ns.adobe.com/xap/1.0/\0"
# Of the segments without pixels libjpeg looks at two to know the colour space, at so many bytes.
_COLOUR_SPACE = {_APP0: (b"JFIF\0", 14), _APP14: (b"Adobe", 12)}
_PIXELS_OF_PNG = {b"IHDR", b"IDAT", b"IEND"}
_EXIF_IN_TEXT = {b"Raw profile type exif", b"Raw profile type APP1"}
_TEXTS_OF_PNG = {b"tEXt", b"zTXt", b"iTXt"}
_VALUES_OF_TRNS = {0: 2, 2: 6}  # bytes, by colour type; a palette has up to one an entry
_WEBP_PICTURES = {b"VP8 ", b"VP8L"}
_WEBP_PIXELS = {b"VP8X", b"ALPH", b"ANIM", b"ANMF", *_WEBP_PICTURES}
_WEBP_METADATA_FLAGS = 0x20 | 0x08 | 0x04  # ICC, EXIF, XMP


class UnknownContainer(Exception):
    """Neither JPEG nor PNG nor WebP."""


@dataclass(frozen=True, slots=True)
class Parts:
    """``picture`` is a file with the pixels alone.

    ``orientation`` is EXIF's number, 1 to 8, ``profile`` the ICC profile as it came. ``animated``
    is what Pillow cannot see in ``picture`` any more.
    """

    picture: bytes
    orientation: int
    profile: bytes | None
    animated: bool = False


@dataclass(slots=True)
class _Metadata:
    """What was met beside the pixels so far; ``profile`` is the first one that can be read."""

    exif: list[bytes] = field(default_factory=list)
    xmp: list[bytes] = field(default_factory=list)
    profile: bytes | None = None

    def orientation(self) -> int:
        return image_metadata.first_orientation(self.exif, self.xmp)


def take_apart(data: bytes) -> Parts:
    """The parts of a JPEG, PNG or WebP file. Raises :class:`UnknownContainer` for all others."""
    if data.startswith(b"\xff\xd8\xff"):
        return _jpeg(data)
    if data.startswith(_PNG_SIGNATURE):
        return _png(data)
    if data.startswith(b"RIFF") and data[8:12] == b"WEBP":
        return _webp(data)
    raise UnknownContainer("not a JPEG, PNG or WebP file")


def _jpeg(data: bytes) -> Parts:
    picture = bytearray(b"\xff\xd8")
    metadata = _Metadata()
    profile: list[bytes] = []
    for marker, start, end in _segments(data):
        body = data[start + 4 : end]
        if marker == _START_OF_SCAN:  # from here on libjpeg alone reads
            picture += data[start:]
        elif marker in _COLOUR_SPACE:
            name, length = _COLOUR_SPACE[marker]
            if body.startswith(name) and len(body) >= length:
                picture += struct.pack(">BBH", 0xFF, marker, 2 + length) + body[:length]
        elif marker == _APP1 and body.startswith(b"Exif\0"):
            metadata.exif.append(body)
        elif marker == _APP1 and body.startswith(_XMP_IN_JPEG):
            metadata.xmp.append(body)
        elif marker == _APP2 and body.startswith(b"ICC_PROFILE\0"):
            profile.append(body[12:])
        elif not (_APP0 <= marker <= 0xEF or marker == _COMMENT):
            picture += data[start:end]
    metadata.profile = image_metadata.joined_profile(profile)
    return Parts(bytes(picture), metadata.orientation(), metadata.profile)


def _segments(data: bytes) -> Iterator[tuple[int, int, int]]:
    """(marker, start, end) of each segment up to the first scan's; skips what lies between."""
    start = data.find(b"\xff", 2)
    while 0 <= start < len(data) - 1:
        marker = data[start + 1]
        if marker == 0xFF:  # padding
            start += 1
            continue
        if marker in _ALONE:
            end = start + 2
        else:
            end = start + 2 + max(2, int.from_bytes(data[start + 2 : start + 4]))
            yield marker, start, end
        if marker == _START_OF_SCAN:
            return
        start = data.find(b"\xff", end)


def _png(data: bytes) -> Parts:
    picture = bytearray(_PNG_SIGNATURE)
    metadata = _Metadata()
    header = palette = b""
    frames = 0  # that the file claims; an animation has data of another one, too
    animated = seen = False
    for kind, start, end in _chunks_of_png(data):
        body = data[start + 8 : end - 4]
        if kind == b"PLTE":
            if header[9:10] == b"\3":  # elsewhere it is only a proposal
                palette = body
                picture += data[start:end]
        elif kind in _PIXELS_OF_PNG:
            picture += data[start:end]
            header = body if kind == b"IHDR" else header
            seen = seen or kind == b"IDAT"
        elif kind == b"tRNS" and not seen and _is_whole(kind, body, data[end - 4 : end]):
            picture += _transparency(header, palette, body)
        elif kind == b"acTL" and not seen and len(body) >= 8:
            frames = int.from_bytes(body[:4])
        elif kind == b"fdAT":
            animated = animated or frames > 0
        else:
            _keep_metadata(metadata, kind, body)
        if kind == b"IEND":
            break
    return Parts(bytes(picture), metadata.orientation(), metadata.profile, animated)


def _keep_metadata(metadata: _Metadata, kind: bytes, body: bytes) -> None:
    if kind == b"iCCP":
        metadata.profile = metadata.profile or image_metadata.unpacked_profile(body)
    elif kind == b"eXIf":
        metadata.exif.append(body)
    elif kind in _TEXTS_OF_PNG:
        keyword = body.partition(b"\0")[0]
        if keyword in _EXIF_IN_TEXT:
            text = image_metadata.png_text(kind, body)
            metadata.exif.append(image_metadata.exif_in_hexadecimal(text))
        elif keyword == b"XML:com.adobe.xmp":
            metadata.xmp.append(image_metadata.png_text(kind, body))


def _chunks_of_png(data: bytes) -> Iterator[tuple[bytes, int, int]]:
    """(type, start, end) of each chunk; the last one may be cut, which shows when it is decoded."""
    start = len(_PNG_SIGNATURE)
    while start + 8 <= len(data):
        length, kind = struct.unpack_from(">I4s", data, start)
        yield kind, start, start + 12 + length
        start += 12 + length


def _is_whole(kind: bytes, body: bytes, checksum: bytes) -> bool:
    return zlib.crc32(body, zlib.crc32(kind)) == int.from_bytes(checksum) and len(checksum) == 4


def _transparency(header: bytes, palette: bytes, body: bytes) -> bytes:
    """The tRNS chunk as Pillow wants it, or nothing if it does not fit the picture.

    Pillow compares the value of a grey picture of 2 or 4 bits with pixels that it has stretched to
    8 bits, so the value is stretched, too.
    """
    if len(header) < 13:
        return b""
    depth, colour_type = header[8], header[9]
    if colour_type == 3:
        if not 1 <= len(body) <= len(palette) // 3:
            return b""
    elif len(body) != _VALUES_OF_TRNS.get(colour_type):
        return b""
    elif colour_type == 0 and depth in (2, 4):
        highest = (1 << depth) - 1
        body = ((int.from_bytes(body) & highest) * (255 // highest)).to_bytes(2)
    return struct.pack(">I4s", len(body), b"tRNS") + body + _checksum(b"tRNS" + body)


def _checksum(data: bytes) -> bytes:
    return zlib.crc32(data).to_bytes(4)


def _webp(data: bytes) -> Parts:
    picture = bytearray(b"RIFF\0\0\0\0WEBP")
    metadata = _Metadata()
    seen = False
    for kind, start, end in _chunks_of_webp(data):
        body = data[start + 8 : end]
        if kind == b"VP8X" and body:
            body = bytes([body[0] & ~_WEBP_METADATA_FLAGS]) + body[1:]
        if kind in _WEBP_PIXELS and not seen:
            picture += data[start : start + 8] + body + b"\0" * (len(body) & 1)
            seen = kind in _WEBP_PICTURES
        elif kind == b"ICCP":
            metadata.profile = metadata.profile or image_metadata.bounded_profile(body)
        elif kind == b"EXIF":
            metadata.exif.append(body)
        elif kind == b"XMP ":
            metadata.xmp.append(body)
    picture[4:8] = struct.pack("<I", len(picture) - 8)
    return Parts(bytes(picture), metadata.orientation(), metadata.profile)


def _chunks_of_webp(data: bytes) -> Iterator[tuple[bytes, int, int]]:
    """As for PNG; without the byte that makes a length even."""
    start = len(b"RIFF....WEBP")
    while start + 8 <= len(data):
        kind, length = struct.unpack_from("<4sI", data, start)
        yield kind, start, start + 8 + length
        start += 8 + length + (length & 1)
