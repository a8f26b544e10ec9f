"""Reads an output back before it counts as stored: is it whole, and does a browser play it?

An MP4 file is a row of boxes (ISO/IEC 14496-12, section 4.2). Their lengths add up to the file's,
and the sample tables say where every frame lies, so a cut shows without decoding. Only tables are
read, up to a limit.
"""

from __future__ import annotations

import io
import struct
import warnings
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from PIL import Image

from generation.inputs.image_child import FORMATS, MAX_PIXELS, MAX_SIDE
from generation.inputs.image_container import UnknownContainer, take_apart

_MAX_MOOV = 8 * 1024 * 1024  # 8 s need about 10 kB of tables, an hour 4 MB
_MAX_BOXES = 10_000  # outermost ones
_MAX_SAMPLES = 1_000_000
# By the kind of track, what is delivered. All browsers play avc1 and mp4a. H.265 (hvc1, hev1),
# which 4k may come in, depends on the viewer's hardware; refused, it would be paid for and reach
# nobody. avc3, H.264 with its parameters between the frames, depends on the browser.
_CODECS = {b"vide": (b"avc1", b"hvc1", b"hev1"), b"soun": (b"mp4a",)}
_PARAMETERS = {b"avc1": b"avcC", b"hvc1": b"hvcC", b"hev1": b"hvcC"}  # no decoder starts without
_UNKNOWN_DURATIONS = (0, 0xFFFF_FFFF, 0xFFFF_FFFF_FFFF_FFFF)


class NotPlayable(Exception):
    """The file is cut, damaged, or no browser plays it. The words are for operators."""


@dataclass(frozen=True, slots=True)
class VideoFacts:
    """What the file says about itself; ``size`` in bytes, ``audio_codec`` None without sound."""

    duration_seconds: float
    width: int
    height: int
    video_codec: str
    audio_codec: str | None
    size: int


@dataclass(frozen=True, slots=True)
class ImageFacts:
    """``format`` is PNG, JPEG or WEBP."""

    format: str
    width: int
    height: int


def inspect_video(path: Path) -> VideoFacts:
    """Check that ``path`` is a whole MP4 file: H.264 or H.265, with AAC sound or without any.

    Every sample's bytes must lie inside an ``mdat`` box. Fragmented files are refused: cut between
    two fragments they look whole. Raises :class:`NotPlayable`, and OSError if it cannot be read.
    """
    size = path.stat().st_size
    try:
        with path.open("rb") as file:
            moov, media = _outline(file, size)
        entries = dict(_sample_entries(moov, media))
        if b"vide" not in entries:
            raise NotPlayable("no video track")
        codec, entry = entries[b"vide"]
        width, height = _picture_size(codec, entry)
        duration = _duration(_box(moov, b"mvhd"))
    except struct.error as error:
        raise NotPlayable("a box is too short") from error
    audio_codec = "mp4a" if b"soun" in entries else None
    return VideoFacts(duration, width, height, codec.decode(), audio_codec, size)


def inspect_image(path: Path) -> ImageFacts:
    """Decode ``path`` fully: PNG, JPEG or WEBP of at most 25 megapixels and 8192 pixels a side.

    Its metadata is not looked at; the file keeps it as the provider wrote it. Raises
    :class:`NotPlayable`, and OSError if the file cannot be opened.
    """
    data = path.read_bytes()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the limits below say it, and harder
        try:
            picture = io.BytesIO(take_apart(data).picture)
            with Image.open(picture, formats=FORMATS) as image:
                image.verify()
            with Image.open(picture, formats=FORMATS) as image:
                if max(image.size) > MAX_SIDE or image.width * image.height > MAX_PIXELS:
                    raise NotPlayable("too large")
                image.load()
                return ImageFacts(image.format or "", image.width, image.height)
        except _WHAT_PILLOW_RAISES as error:
            raise NotPlayable(f"{type(error).__name__}: {error}") from error


_WHAT_PILLOW_RAISES = (
    OSError,
    SyntaxError,
    ValueError,
    EOFError,
    IndexError,
    TypeError,
    struct.error,
    Image.DecompressionBombError,
    UnknownContainer,
)


def _header(head: bytes | memoryview, room: int) -> tuple[bytes, int, int]:
    """(type, length of the header, length of the box), the latter at most ``room``."""
    length, kind = struct.unpack_from(">I4s", head)
    skip = 8
    if length == 1:
        (length,) = struct.unpack_from(">Q", head, 8)
        skip = 16
    elif length == 0:  # "to the end of the file"
        length = room
    if not skip <= length <= room:
        raise NotPlayable("a box is longer than what it lies in")
    return kind, skip, length


def _outline(file: BinaryIO, size: int) -> tuple[memoryview, list[tuple[int, int]]]:
    """The contents of ``moov``, and where the media data lies, in the order of the file."""
    position, count = 0, 0
    moov: memoryview | None = None
    media: list[tuple[int, int]] = []
    while position < size:
        file.seek(position)
        kind, skip, length = _header(file.read(16), size - position)
        if (kind == b"ftyp") != (count == 0) or count >= _MAX_BOXES:
            raise NotPlayable("not an MP4 file")
        if kind == b"moov":
            if moov is not None or length > _MAX_MOOV:
                raise NotPlayable("more than one moov box, or one that is too large")
            file.seek(position + skip)
            moov = memoryview(file.read(length - skip))
        elif kind == b"mdat":
            media.append((position + skip, position + length))
        position += length
        count += 1
    if moov is None:
        raise NotPlayable("no moov box")
    return moov, media


def _children(data: memoryview) -> Iterator[tuple[bytes, memoryview]]:
    while data:
        kind, skip, length = _header(data[:16], len(data))
        yield kind, data[skip:length]
        data = data[length:]


def _box(data: memoryview, *path: bytes) -> memoryview:
    """The contents of the first box of each type in ``path``, one inside the other."""
    for wanted in path:
        found = next((box for kind, box in _children(data) if kind == wanted), None)
        if found is None:
            raise NotPlayable(f"no {wanted.decode()} box")
        data = found
    return data


def _duration(mvhd: memoryview) -> float:
    wide = mvhd[:1].tobytes() == b"\x01"  # version 1 has 64-bit times
    timescale, duration = struct.unpack_from(">IQ" if wide else ">II", mvhd, 20 if wide else 12)
    if timescale == 0 or duration in _UNKNOWN_DURATIONS:
        raise NotPlayable("no duration")
    return float(duration / timescale)


def _sample_entries(
    moov: memoryview, media: list[tuple[int, int]]
) -> Iterator[tuple[bytes, tuple[bytes, memoryview]]]:
    """(kind, (codec, its description)) of each track; only of picture and sound."""
    for box_kind, trak in _children(moov):
        if box_kind != b"trak":
            continue
        mdia = _box(trak, b"mdia")
        kind = bytes(_box(mdia, b"hdlr")[8:12])
        if kind not in _CODECS:
            continue
        table = _box(mdia, b"minf", b"stbl")
        codec, entry = next(_children(_box(table, b"stsd")[8:]), (b"", memoryview(b"")))
        if codec not in _CODECS[kind]:
            raise NotPlayable(f"codec {codec!r}")
        _check_samples(table, media)
        yield kind, (codec, entry)


def _picture_size(codec: bytes, entry: memoryview) -> tuple[int, int]:
    width, height = struct.unpack_from(">HH", entry, 24)
    _box(entry[78:], _PARAMETERS[codec])
    if not (width and height):
        raise NotPlayable("no picture size")
    return width, height


def _check_samples(stbl: memoryview, media: list[tuple[int, int]]) -> None:
    """Every chunk of samples lies inside one mdat, and the chunks hold all the samples."""
    sizes = _sample_sizes(_box(stbl, b"stsz"))
    runs = _rows(_box(stbl, b"stsc"), "III")  # first chunk, samples a chunk, description
    if not sizes or not runs or runs[0][0] != 1:
        raise NotPlayable("no samples")
    starts = [start for start, _ in media]
    run, done = 0, 0
    for number, offset in enumerate(_chunk_offsets(stbl), start=1):
        while run + 1 < len(runs) and runs[run + 1][0] <= number:
            run += 1
        end = offset + sum(sizes[done : done + runs[run][1]])
        done += runs[run][1]
        place = bisect_right(starts, offset) - 1
        if place < 0 or end > media[place][1]:
            raise NotPlayable("samples lie outside of the file's media data")
    if done != len(sizes):
        raise NotPlayable("the sample tables disagree")


def _chunk_offsets(stbl: memoryview) -> list[int]:
    for kind, box in _children(stbl):
        if kind in (b"stco", b"co64"):
            return [row[0] for row in _rows(box, "I" if kind == b"stco" else "Q")]
    raise NotPlayable("no chunk offsets")


def _sample_sizes(stsz: memoryview) -> list[int]:
    every, count = struct.unpack_from(">II", stsz, 4)
    if count > _MAX_SAMPLES:
        raise NotPlayable("too many samples")
    return [every] * count if every else [row[0] for row in _rows(stsz[4:], "I")]


def _rows(box: memoryview, columns: str) -> list[tuple[int, ...]]:
    """A table: version and flags, a count, then that many rows of big-endian numbers."""
    (count,) = struct.unpack_from(">I", box, 4)
    width = struct.calcsize(">" + columns)
    if count * width > len(box) - 8:
        raise NotPlayable("a table is shorter than it says")
    return list(struct.iter_unpack(">" + columns, box[8 : 8 + count * width]))
