"""Reads the duration out of an MP4 file (ISO/IEC 14496-12)."""

from __future__ import annotations

import struct
from collections.abc import Iterator


def boxes(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """The boxes of a file or of a container box: (type, content)."""
    position = 0
    while position + 8 <= len(data):
        size, kind = struct.unpack_from(">I4s", data, position)
        header = 8
        if size == 1:  # 4.2: the real size follows as 64 bits
            (size,) = struct.unpack_from(">Q", data, position + 8)
            header = 16
        elif size == 0:  # up to the end of the file
            size = len(data) - position
        if size < header:
            return
        yield kind, data[position + header : position + size]
        position += size


def duration(data: bytes) -> float:
    """Seconds, by the movie header. Raises ValueError when there is none."""
    for kind, movie in boxes(data):
        if kind != b"moov":
            continue
        for inner, header in boxes(movie):
            if inner == b"mvhd":
                # 8.2.2: version 1 has 64-bit times
                layout, start = (">IQ", 20) if header[0] == 1 else (">II", 12)
                scale, length = struct.unpack_from(layout, header, start)
                return float(length / scale)
    raise ValueError("not an MP4 file with a movie header")
