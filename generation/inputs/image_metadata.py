"""The only two things that we read of a picture's metadata: how it is turned, and its colours.

Cameras, phones and editors write metadata that is cut, points outside or has the wrong types, and
every viewer shows their pictures nevertheless. So nothing here raises: what cannot be read is as
if it was not there.
"""

from __future__ import annotations

import re
import struct
import zlib
from collections.abc import Iterable

# Profiles of printing presses have up to 3 MB. What is larger, or unpacks to more, is ignored.
MAX_PROFILE = 4 * 1024 * 1024
_MAX_TEXT = 256 * 1024  # unpacked; it may be EXIF in hexadecimal

# Sources: TIFF 6.0, section 2, and CIPA DC-008 (EXIF); PNG, third edition, sections 11.3.2.3 (iCCP)
# and 11.3.3 (text); ICC.1, annex B.4 (profiles in JPEG).
_ORIENTATION = 0x0112
# SHORT is the right type. Writers that mean the same took LONG or a signed one.
_WHOLE_NUMBERS = {3: "H", 4: "I", 8: "h", 9: "i"}
_IN_XMP = re.compile(rb"tiff:Orientation\s*(?:=\s*[\"']|>)\s*([1-8])\b")


def exif_orientation(exif: bytes) -> int | None:
    """1 to 8 as EXIF counts them; None where it is not said or cannot be read."""
    block = exif.removeprefix(b"Exif\0\0")
    order = {b"II*\0": "<", b"MM\0*": ">"}.get(block[:4])
    if order is None:
        return None
    try:
        (start,) = struct.unpack_from(order + "I", block, 4)
        (count,) = struct.unpack_from(order + "H", block, start)
        for entry in range(start + 2, start + 2 + 12 * count, 12):
            tag, kind, values = struct.unpack_from(order + "HHI", block, entry)
            if tag == _ORIENTATION and kind in _WHOLE_NUMBERS and values:
                # More than one value is wrong; the first one still stands in front.
                (value,) = struct.unpack_from(order + _WHOLE_NUMBERS[kind], block, entry + 8)
                return value if 1 <= value <= 8 else None
    except struct.error:  # points outside of the block, or the block is cut
        pass
    return None


def xmp_orientation(xmp: bytes) -> int | None:
    """What editors write where a format has no room for EXIF; 1 to 8 or None."""
    found = _IN_XMP.search(xmp)
    return int(found[1]) if found else None


def first_orientation(exif: Iterable[bytes], xmp: Iterable[bytes]) -> int:
    """The first one that can be read, EXIF before XMP; else 1, upright."""
    for block in exif:
        if (value := exif_orientation(block)) is not None:
            return value
    for packet in xmp:
        if (value := xmp_orientation(packet)) is not None:
            return value
    return 1


def joined_profile(parts: list[bytes]) -> bytes | None:
    """The ICC profile of a JPEG's APP2 segments, each with its number, their count and its part."""
    numbered = {part[0]: part[2:] for part in parts if len(part) > 2 and part[1] == len(parts)}
    if not numbered or sorted(numbered) != list(range(1, len(parts) + 1)):
        return None
    return bounded_profile(b"".join(numbered[number] for number in sorted(numbered)))


def bounded_profile(profile: bytes) -> bytes | None:
    """``profile`` unless it is larger than any that somebody means."""
    return profile if len(profile) <= MAX_PROFILE else None


def unpacked_profile(iccp: bytes) -> bytes | None:
    """The ICC profile of a PNG's iCCP chunk: a name, NUL, the method 0, and a zlib stream."""
    _, _, packed = iccp.partition(b"\0")
    return _inflated(packed[1:], MAX_PROFILE) if packed[:1] == b"\0" else None


def png_text(kind: bytes, chunk: bytes) -> bytes:
    """The text of a tEXt, zTXt or iTXt chunk; empty if it cannot be read or is a bomb."""
    rest = chunk.partition(b"\0")[2]
    if kind == b"tEXt":
        return rest[:_MAX_TEXT]
    packed = True
    if kind == b"iTXt":  # a flag, a method, a language and a translated keyword
        packed = rest[:1] == b"\1"
        rest = rest[1:2] + rest[2:].split(b"\0", 2)[-1]
    text = rest[1:]
    return (_inflated(text, _MAX_TEXT) or b"") if packed else text[:_MAX_TEXT]


def exif_in_hexadecimal(text: bytes) -> bytes:
    """What ImageMagick kept EXIF in before PNG had a chunk for it: name, length, hex digits."""
    try:
        return bytes.fromhex(b"".join(text.split(b"\n")[3:]).decode("ascii"))
    except ValueError:
        return b""


def _inflated(packed: bytes, limit: int) -> bytes | None:
    """At most ``limit`` bytes; None if there are more, or if it is no zlib stream."""
    unpacking = zlib.decompressobj()
    try:
        data = unpacking.decompress(packed, limit)
    except zlib.error:
        return None
    return None if unpacking.unconsumed_tail else data
