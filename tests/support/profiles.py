"""ICC profiles, made byte by byte: ICC.1:2001-04. Three of RGB, one of grey, one of ink."""

from __future__ import annotations

import math
import struct
from collections.abc import Sequence

Tags = Sequence[tuple[bytes, bytes]]
# Primaries in XYZ, adapted to D50
P3 = ((0.51512, 0.24120, -0.00105), (0.29198, 0.69225, 0.04189), (0.15710, 0.06657, 0.78407))
ADOBE = ((0.60974, 0.31111, 0.01947), (0.20528, 0.62567, 0.06087), (0.14919, 0.06322, 0.74457))
SRGB = ((0.43607, 0.22249, 0.01392), (0.38515, 0.71687, 0.09708), (0.14307, 0.06061, 0.71410))


def profile(
    space: bytes, tags: Tags, *, connection: bytes = b"XYZ ", kind: bytes = b"mntr"
) -> bytes:
    table, body, start = b"", b"", 128 + 4 + 12 * len(tags)
    for name, data in tags:
        table += struct.pack(">4sII", name, start + len(body), len(data))
        body += data + bytes(-len(data) % 4)
    head = struct.pack(
        ">I4sI4s4s4s", start + len(body), b"none", 0x02400000, kind, space, connection
    )
    head = (head.ljust(36, b"\0") + b"acsp").ljust(68, b"\0") + _xyz(0.9642, 1.0, 0.8249)
    return head.ljust(128, b"\0") + struct.pack(">I", len(tags)) + table + body


def of_rgb(primaries: Sequence[Sequence[float]], gamma: float | None = None) -> bytes:
    """``gamma`` None is the curve of sRGB, which Display P3 has, too."""
    names = (b"rXYZ", b"gXYZ", b"bXYZ")
    tags = [
        (name, b"XYZ \0\0\0\0" + _xyz(*xyz)) for name, xyz in zip(names, primaries, strict=True)
    ]
    tags += [(name, _curve(gamma)) for name in (b"rTRC", b"gTRC", b"bTRC")]
    return profile(b"RGB ", [(b"wtpt", b"XYZ \0\0\0\0" + _xyz(0.9642, 1.0, 0.8249)), *tags])


def of_grey(gamma: float) -> bytes:
    white = (b"wtpt", b"XYZ \0\0\0\0" + _xyz(0.9642, 1.0, 0.8249))
    return profile(b"GRAY", [white, (b"kTRC", _curve(gamma))])


def of_ink() -> bytes:
    """White paper; cyan is a mid-grey, (119, 119, 119) in sRGB; everything else is black."""
    black = bytes([0, 128, 128])
    nodes = bytes([255, 128, 128]) + black * 7 + bytes([128, 128, 128]) + black * 7
    straight = bytes(range(256))
    identity = struct.pack(">9i", *(65536 * one for one in (1, 0, 0, 0, 1, 0, 0, 0, 1)))
    table = b"mft1\0\0\0\0" + bytes([4, 3, 2, 0]) + identity + straight * 4 + nodes + straight * 3
    return profile(b"CMYK", [(b"A2B0", table)], connection=b"Lab ", kind=b"prtr")


def in_srgb(pixel: Sequence[int], primaries: Sequence[Sequence[float]], gamma: float | None = None):
    """What ``pixel`` of that profile is in sRGB, by the definitions and with fractions."""
    linear = [_linear(value / 255, gamma) for value in pixel]
    xyz = [sum(linear[i] * primaries[i][axis] for i in range(3)) for axis in range(3)]
    matrix = (
        (3.13386, -1.61687, -0.49062),
        (-0.97877, 1.91614, 0.03345),
        (0.07194, -0.22899, 1.40524),
    )
    return tuple(_encoded(sum(row[axis] * xyz[axis] for axis in range(3))) for row in matrix)


def grey_in_srgb(value: int, gamma: float) -> int:
    return _encoded((value / 255) ** gamma)


def _linear(value: float, gamma: float | None) -> float:
    if gamma is not None:
        return math.pow(value, gamma)
    return value / 12.92 if value <= 0.04045 else math.pow((value + 0.055) / 1.055, 2.4)


def _encoded(linear: float) -> int:
    linear = min(1.0, max(0.0, linear))
    value = 12.92 * linear if linear <= 0.0031308 else 1.055 * linear ** (1 / 2.4) - 0.055
    return round(255 * value)


def _fixed(value: float) -> bytes:
    return struct.pack(">i", round(value * 65536))


def _xyz(*values: float) -> bytes:
    return b"".join(_fixed(value) for value in values)


def _curve(gamma: float | None) -> bytes:
    if gamma is not None:
        return b"curv\0\0\0\0" + struct.pack(">IH", 1, round(gamma * 256))
    values = (2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045)
    return b"para\0\0\0\0\0\3\0\0" + b"".join(_fixed(value) for value in values)
