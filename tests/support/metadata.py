"""Metadata as cameras, phones and editors write it, whole and broken in every way, in every format.

Blocks are made byte by byte, since no library would write most of these.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable, Iterator

from tests.support.images import encoded, halves

SHORT, LONG, ASCII, RATIONAL = 3, 4, 2, 5
ORIENTATION = 0x0112
Entry = tuple[int, int, int, bytes]  # tag, type, count, four bytes of value or offset
ORDERS = {"little-endian": "<", "big-endian": ">"}
TURN = 6  # a quarter clockwise


def tiff(
    order: str, *entries: Entry, next_ifd: bool = True, start: int = 8, claimed: int = -1
) -> bytes:
    head = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(order + "I", start)
    rows = b"".join(struct.pack(order + "HHI", *entry[:3]) + entry[3] for entry in entries)
    return (
        head
        + struct.pack(order + "H", claimed if claimed >= 0 else len(entries))
        + rows
        + bytes(4 * next_ifd)
    )


def turned(order: str, kind: int = SHORT, count: int = 1, value: int = TURN) -> Entry:
    if kind == SHORT:
        return ORIENTATION, kind, count, struct.pack(order + "HH", value, 0)
    return ORIENTATION, kind, count, struct.pack(order + "I", value)


def far(order: str, tag: int, kind: int, count: int, offset: int = 60_000) -> Entry:
    return tag, kind, count, struct.pack(order + "I", offset)


# Around an orientation that can be read: the picture is turned by it.
READABLE: dict[str, Callable[[str], bytes]] = {
    "whole": lambda o: tiff(o, turned(o)),
    "a text outside": lambda o: tiff(o, far(o, 0x010E, ASCII, 4000), turned(o)),
    "a GPS pointer outside": lambda o: tiff(o, turned(o), far(o, 0x8825, LONG, 1)),
    "a GPS pointer to itself": lambda o: tiff(o, turned(o), far(o, 0x8825, LONG, 1, 8)),
    "a GPS pointer of text": lambda o: tiff(o, turned(o), far(o, 0x8825, ASCII, 9, 8)),
    "an EXIF pointer outside": lambda o: tiff(o, turned(o), far(o, 0x8769, LONG, 1)),
    "a maker note that is cut": lambda o: tiff(o, turned(o), far(o, 0x927C, 7, 9000, 30)),
    "a resolution of two values": lambda o: tiff(o, turned(o), far(o, 0x011A, RATIONAL, 2, 0)),
    "a resolution of none": lambda o: tiff(o, turned(o), far(o, 0x011A, RATIONAL, 0, 0)),
    "an unknown type": lambda o: tiff(o, far(o, 0x0100, 99, 1), turned(o)),
    "a count of everything": lambda o: tiff(o, far(o, 0x0100, LONG, 2**32 - 1), turned(o)),
    "no pointer to a next IFD": lambda o: tiff(o, turned(o), next_ifd=False),
    "an orientation of two values": lambda o: tiff(o, turned(o, count=2)),
    "an orientation of type LONG": lambda o: tiff(o, turned(o, kind=LONG)),
    "more entries than there are": lambda o: tiff(o, turned(o), claimed=500, next_ifd=False),
}
# Without one: the picture counts as upright.
UNREADABLE: dict[str, Callable[[str], bytes]] = {
    "empty": lambda o: b"",
    "a header only": lambda o: tiff(o)[:8],
    "half a header": lambda o: tiff(o)[:5],
    "garbage": lambda o: b"\xde\xad\xbe\xef" * 20,
    "no entries": tiff,
    "cut in the entry": lambda o: tiff(o, turned(o))[:16],
    "an IFD outside": lambda o: tiff(o, turned(o), start=60_000),
    "an IFD at the end of all": lambda o: tiff(o, turned(o), start=2**32 - 1),
    "an orientation of text": lambda o: tiff(o, far(o, ORIENTATION, ASCII, 2, 0x36003600)),
    "an orientation of no value": lambda o: tiff(o, turned(o, count=0)),
    "an orientation of 9": lambda o: tiff(o, turned(o, value=9)),
    "an orientation of 0": lambda o: tiff(o, turned(o, value=0)),
}
BROKEN = {
    "empty": b"",
    "a byte": b"\0",
    "zeros": bytes(40),
    "garbage": b"\xde\xad\xbe\xef" * 30,
    "ones": b"\xff" * 40,
    "text": b"SecretText" * 4,
}


def segment(marker: int, body: bytes) -> bytes:
    return struct.pack(">BBH", 0xFF, marker, len(body) + 2) + body


def chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I4s", len(body), kind) + body + struct.pack(">I", zlib.crc32(kind + body))


def riff(kind: bytes, body: bytes) -> bytes:
    return struct.pack("<4sI", kind, len(body)) + body + b"\0" * (len(body) & 1)


def in_jpeg(*segments: bytes) -> bytes:
    plain = encoded(halves(), "JPEG")
    return plain[:2] + b"".join(segments) + plain[2:]


def in_png(*chunks: bytes, behind: bytes = b"") -> bytes:
    plain = encoded(halves(), "PNG")
    return plain[:33] + b"".join(chunks) + plain[33:-12] + behind + plain[-12:]


def in_webp(*chunks: bytes, flags: int = 0x2C, profile: bytes = b"") -> bytes:
    picture = encoded(halves(), "WEBP", quality=90)[12:]
    size = struct.pack("<B3x", flags) + (39).to_bytes(3, "little") + (19).to_bytes(3, "little")
    body = b"WEBP" + riff(b"VP8X", size) + profile + picture + b"".join(chunks)
    return b"RIFF" + struct.pack("<I", len(body)) + body


def with_exif(file_format: str, block: bytes) -> bytes:
    if file_format == "JPEG":
        return in_jpeg(segment(0xE1, b"Exif\0\0" + block))
    if file_format == "PNG":
        return in_png(chunk(b"eXIf", block))
    return in_webp(riff(b"EXIF", block))


def beside_exif(exif: bytes) -> Iterator[tuple[str, bytes]]:
    """(name, file) of every other block, broken in every way, beside ``exif``."""
    yield from _in_every_segment(exif)
    yield from _in_every_chunk(exif)
    for name, body in BROKEN.items():
        for kind in (b"XMP ", b"ICCP", b"odd?"):
            file = in_webp(riff(b"EXIF", exif), riff(kind, body))
            yield f"WEBP {kind.decode()} {name}", file
        front = in_webp(riff(b"EXIF", exif), profile=riff(b"ICCP", body))
        yield f"WEBP profile in front {name}", front
    for flags in range(0, 64, 4):
        if not flags & 0x10:  # alpha is one of the picture's own
            yield f"WEBP flags {flags}", in_webp(riff(b"EXIF", exif), flags=flags)
    cut = in_webp(riff(b"EXIF", exif), riff(b"XMP ", bytes(90)))[:-50]
    yield "WEBP cut in the last chunk", cut


_SEGMENTS = {
    "JFIF": (0xE0, b"JFIF\0"),
    "JFIF extension": (0xE0, b"JFXX\0"),
    "XMP": (0xE1, b"http://ns.adobe.com/xap/1.0/\0"),
    "long XMP": (0xE1, b"http://ns.adobe.com/xmp/extension/\0"),
    "a second EXIF": (0xE1, b"Exif\0\0"),
    "MPF": (0xE2, b"MPF\0"),
    "ICC": (0xE2, b"ICC_PROFILE\0"),
    "ICC 1 of 1": (0xE2, b"ICC_PROFILE\0\1\1"),
    "ICC 1 of 2": (0xE2, b"ICC_PROFILE\0\1\2"),
    "FlashPix": (0xE2, b"FPXR\0"),
    "JUMBF": (0xEB, b"JP"),
    "Photoshop": (0xED, b"Photoshop 3.0\0"),
    "Photoshop resource": (0xED, b"Photoshop 3.0\x008BIM"),
    "Photoshop resolution": (0xED, b"Photoshop 3.0\x008BIM\x03\xed\0\0\0\0\0\x10"),
    "Adobe": (0xEE, b"Ado"),
    "comment": (0xFE, b""),
    **{f"APP{number}": (0xE0 + number, b"") for number in range(16)},
}
_MPF_LISTS = {
    "a list that is too short": tiff("<", (0xB000, 7, 4, b"0100"), far("<", 0xB002, 7, 16, 50)),
    "a count alone": tiff(">", (0xB001, LONG, 1, b"\0\0\0\2")),
    "an unknown format": tiff("<", (0xB001, LONG, 1, b"\2\0\0\0"), far("<", 0xB002, 7, 32, 38))
    + b"\xff" * 32,
    "a million pictures": tiff("<", (0xB001, LONG, 1, b"\x40\x42\x0f\0")),
    "twelve other bytes": b"twelve bytes",
}


def _in_every_segment(exif: bytes) -> Iterator[tuple[str, bytes]]:
    good = segment(0xE1, b"Exif\0\0" + exif)
    for name, (marker, start) in _SEGMENTS.items():
        for fault, body in BROKEN.items():
            yield f"JPEG {name} {fault}", in_jpeg(good, segment(marker, start + body))
    for fault, body in _MPF_LISTS.items():
        yield f"JPEG MPF {fault}", in_jpeg(good, segment(0xE2, b"MPF\0" + body))
    for length in (0, 1):
        yield f"JPEG a segment of {length}", in_jpeg(good, struct.pack(">HH", 0xFFE5, length))
    yield "JPEG padding and junk", in_jpeg(b"\xff\xff" + good, b"junk\xff\xff\xff\0more\xff\x01")
    yield (
        "JPEG two hundred parts of a profile",
        in_jpeg(good, *(segment(0xE2, b"ICC_PROFILE\0\xff\xc8" + bytes(60)) for _ in range(200))),
    )


_CHUNKS = (b"acTL", b"iCCP", b"tEXt", b"zTXt", b"iTXt", b"gAMA", b"cHRM", b"sRGB", b"cICP", b"pHYs",
           b"tIME", b"bKGD", b"hIST", b"sPLT", b"sBIT", b"oFFs", b"caBX", b"fcTL", b"fdAT", b"PLTE",
           b"tRNS", b"prVt", b"eXIf")  # fmt: skip


def _in_every_chunk(exif: bytes) -> Iterator[tuple[str, bytes]]:
    good = chunk(b"eXIf", exif)
    bomb = zlib.compress(bytes(50_000_000), 9)
    for kind in _CHUNKS:
        for fault, body in BROKEN.items():
            whole = chunk(kind, body)
            name = f"PNG {kind.decode()} {fault}"
            yield f"{name} in front", in_png(good, whole)
            yield f"{name} behind", in_png(good, behind=whole)
            yield f"{name} with a wrong checksum", in_png(good, whole[:-1] + b"?")
    for name, body in {
        "iCCP": b"name\0\0", "zTXt": b"Comment\0\0", "iTXt": b"Comment\0\1\0\0\0",
    }.items():  # fmt: skip
        yield f"PNG a bomb in {name}", in_png(good, chunk(name.encode(), body + bomb))
        method = body[:-1] + b"\7" + bomb[:40]
        yield f"PNG an unknown method in {name}", in_png(good, chunk(name.encode(), method))
    texts = [chunk(b"zTXt", b"Comment\0\0" + bomb[:40_000])] * 100
    yield "PNG a hundred bombs", in_png(good, *texts)
    for frames in (0, 1, 2, 2**31):
        control = chunk(b"acTL", struct.pack(">II", frames, 0))
        yield f"PNG an animation of {frames} without any", in_png(good, control)
    yield "PNG cut in a last text", in_png(good, behind=chunk(b"tEXt", bytes(90)))[:-60]
