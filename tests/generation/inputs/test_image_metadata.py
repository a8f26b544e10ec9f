"""Whatever lies around the pixels, however broken: the picture is taken, and turned right."""

from __future__ import annotations

import random
import struct
import zlib
from contextlib import suppress

import pytest
from PIL import Image, ImageChops

from generation.inputs import image_child, image_metadata
from generation.inputs.image_container import UnknownContainer, take_apart
from generation.outputs.playable import inspect_image
from tests.support import metadata
from tests.support.images import encoded, halves, opened, pixel_at
from tests.support.metadata import ORDERS, READABLE, UNREADABLE, chunk, in_jpeg, in_png, riff

FORMATS = ("JPEG", "PNG", "WEBP")


def assert_is_the_picture(data: bytes, *, turned: bool) -> None:
    _, result, _ = image_child.reencode(data)
    image = opened(result)
    assert image.size == ((20, 40) if turned else (40, 20))
    expected = halves().transpose(Image.Transpose.ROTATE_270) if turned else halves()
    inner = (4, 4, image.width - 4, image.height - 4)
    difference = ImageChops.difference(image.convert("RGB").crop(inner), expected.crop(inner))
    assert sum(difference.convert("L").tobytes()) / (difference.width * difference.height) < 12
    assert b"Secret" not in result
    assert not set(image.info) - {"jfif", "jfif_version", "jfif_unit", "jfif_density"}
    assert take_apart(result).picture == result  # no segment or chunk but the picture's own


@pytest.mark.parametrize("order", ORDERS.values(), ids=ORDERS.keys())
@pytest.mark.parametrize("file_format", FORMATS)
@pytest.mark.parametrize("fault", [*READABLE, *UNREADABLE])
def test_exif_never_refuses_and_turns_where_it_can_be_read(file_format, order, fault):
    block = (READABLE | UNREADABLE)[fault](order)
    assert_is_the_picture(metadata.with_exif(file_format, block), turned=fault in READABLE)


@pytest.mark.parametrize("turned", [False, True], ids=["upright", "turned"])
@pytest.mark.parametrize("order", ORDERS.values(), ids=ORDERS.keys())
def test_no_other_block_refuses_or_turns(order, turned):
    exif = metadata.tiff(order, metadata.turned(order, value=metadata.TURN if turned else 1))
    faults = []
    for name, data in metadata.beside_exif(exif):
        try:
            assert_is_the_picture(data, turned=turned)
        except Exception as error:  # noqa: BLE001  # every fault is a finding
            faults.append(f"{name}: {error!r}"[:200])
    assert faults == []


@pytest.mark.parametrize("value", range(1, 9))
@pytest.mark.parametrize("file_format", FORMATS)
def test_each_orientation_is_made_upright(file_format, value):
    """Against a picture that differs in every corner, by the standard's own words."""
    corners = Image.new("RGB", (48, 32), "black")
    for box, colour in {
        (0, 0, 24, 16): "red",
        (24, 0, 48, 16): "lime",
        (0, 16, 24, 32): "blue",
        (24, 16, 48, 32): "white",
    }.items():
        corners.paste(colour, box)
    # EXIF: which sides of the picture the first row and the first column show
    shown = {1: "tl", 2: "tr", 3: "br", 4: "bl", 5: "lt", 6: "rt", 7: "rb", 8: "lb"}[value]
    store = {
        "tr": Image.Transpose.FLIP_LEFT_RIGHT,
        "br": Image.Transpose.ROTATE_180,
        "bl": Image.Transpose.FLIP_TOP_BOTTOM,
        "lt": Image.Transpose.TRANSPOSE,
        "rt": Image.Transpose.ROTATE_90,
        "rb": Image.Transpose.TRANSVERSE,
        "lb": Image.Transpose.ROTATE_270,
    }
    stored = corners.transpose(store[shown]) if shown in store else corners
    exif = metadata.tiff("<", metadata.turned("<", value=value))
    data = encoded(stored, file_format, exif=b"Exif\0\0" + exif)
    image = opened(image_child.reencode(data)[1]).convert("RGB")
    assert image.size == corners.size
    for x, y in ((6, 6), (40, 6), (6, 26), (40, 26)):
        pixel, expected = pixel_at(image, x, y), pixel_at(corners, x, y)
        assert max(abs(a - b) for a, b in zip(pixel, expected, strict=True)) < 40


XMP = b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:Description tiff:Orientation="6"/></x:xmpmeta>'
IN_HEX = b"\nexif\n      26\n" + metadata.tiff("<", metadata.turned("<")).hex().encode()


@pytest.mark.parametrize(
    "data",
    [
        in_jpeg(metadata.segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0" + XMP)),
        in_png(chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + XMP)),
        in_png(chunk(b"iTXt", b"XML:com.adobe.xmp\0\1\0\0\0" + zlib.compress(XMP))),
        in_png(behind=chunk(b"tEXt", b"Raw profile type exif\0" + IN_HEX)),
        in_png(chunk(b"zTXt", b"Raw profile type APP1\0\0" + zlib.compress(IN_HEX))),
        metadata.in_webp(riff(b"XMP ", XMP)),
    ],
)
def test_an_orientation_that_only_other_blocks_tell_is_used(data):
    assert_is_the_picture(data, turned=True)


def test_exif_wins_over_xmp():
    upright = metadata.tiff("<", metadata.turned("<", value=1))
    data = metadata.in_webp(riff(b"XMP ", XMP), riff(b"EXIF", upright))
    assert_is_the_picture(data, turned=False)


def test_any_garbage_is_read_without_an_error():
    seed = random.Random(7)
    whole = metadata.tiff("<", metadata.turned("<"), *[metadata.far("<", 0x100, 3, 1)] * 5)
    for _ in range(3000):
        block = bytearray(whole)
        for _ in range(seed.randrange(1, 6)):
            block[seed.randrange(len(block))] = seed.randrange(256)
        assert image_metadata.first_orientation([bytes(block)[: seed.randrange(99)]], []) in range(
            1, 9
        )
    for plain in (encoded(halves(), "JPEG"), encoded(halves(), "PNG"), metadata.in_webp()):
        for _ in range(500):
            data = bytearray(plain[: seed.randrange(12, len(plain))])
            for _ in range(3):
                data[seed.randrange(12, len(data) + 1) - 1] = seed.randrange(256)
            with suppress(UnknownContainer):
                assert len(take_apart(bytes(data)).picture) <= len(data) + 20


def animated(*, control: bytes, second: bytes) -> bytes:
    frame = struct.pack(">IIIIIHHBB", 0, 40, 20, 0, 0, 1, 10, 0, 0)
    return in_png(chunk(b"acTL", control), chunk(b"fcTL", frame), behind=second)


def test_a_real_animation_goes_on_being_refused():
    pixels = zlib.compress(bytes(20 * 121))
    second = chunk(b"fcTL", struct.pack(">IIIIIHHBB", 1, 40, 20, 0, 0, 1, 10, 0, 0))
    second += chunk(b"fdAT", struct.pack(">I", 2) + pixels)
    with pytest.raises(image_child.Refused, match="animated"):
        image_child.reencode(animated(control=struct.pack(">II", 2, 0), second=second))
    # viewers show the picture alone if the control chunk says that there is no animation
    assert_is_the_picture(animated(control=bytes(8), second=second), turned=False)


CUT_GPS = metadata.tiff("<", metadata.turned("<"), metadata.far("<", 0x8825, 4, 1))
OUTPUTS = {name: metadata.with_exif(name, CUT_GPS) for name in FORMATS} | {
    "MPF": in_jpeg(metadata.segment(0xE2, b"MPF\0twelve bytes")),
    "acTL": in_png(chunk(b"acTL", bytes(8))),
    "iCCP": in_png(chunk(b"iCCP", b"\xff" * 40)),
    "C2PA": in_png(chunk(b"caBX", b"\xff" * 40)),
}


@pytest.mark.parametrize("data", OUTPUTS.values(), ids=OUTPUTS.keys())
def test_a_providers_output_is_judged_by_its_pixels_too(data, tmp_path):
    path = tmp_path / "output"
    path.write_bytes(data)
    facts = inspect_image(path)
    assert (facts.width, facts.height) == (40, 20)
    assert path.read_bytes() == data
