"""A picture goes out in sRGB, on white, whatever its colours came in; no profile refuses one."""

from __future__ import annotations

import random
import struct
import subprocess
import sys
import zlib
from typing import Any

import pytest
from PIL import Image, ImageCms

from generation.inputs import image_child, image_metadata
from tests.support import profiles
from tests.support.images import encoded, opened, pixel_at
from tests.support.metadata import chunk

PIXEL = (60, 180, 60)
RGB_PROFILES = {
    "Display P3": (profiles.P3, None),
    "Adobe RGB": (profiles.ADOBE, 2.2),
    "sRGB": (profiles.SRGB, None),
}


def first_pixel(data: bytes) -> tuple[int, ...]:
    image = opened(image_child.reencode(data)[1])
    assert image.mode == "RGB"
    assert "icc_profile" not in image.info
    return pixel_at(image, 0)


def is_near(pixel: tuple[int, ...], expected: tuple[int, ...], margin: int = 2) -> bool:
    return max(abs(a - b) for a, b in zip(pixel, expected, strict=True)) <= margin


def written(image: Image.Image, file_format: str, profile: bytes | None, **options) -> bytes:
    best: dict[str, dict[str, Any]] = {"JPEG": {"quality": 100}, "WEBP": {"lossless": True}}
    if profile is not None:
        options["icc_profile"] = profile
    return encoded(image, file_format, **(best.get(file_format, {}) | options))


def test_the_figures_of_the_definition():
    assert profiles.in_srgb(PIXEL, profiles.P3) == (0, 183, 30)


@pytest.mark.parametrize("name", RGB_PROFILES)
@pytest.mark.parametrize(
    ("file_format", "mode"),
    [
        ("JPEG", "RGB"), ("PNG", "RGB"), ("WEBP", "RGB"),
        ("PNG", "RGBA"), ("WEBP", "RGBA"), ("PNG", "P"), ("PNG", "L"), ("JPEG", "L"), ("PNG", "LA"),
    ],
)  # fmt: skip
def test_a_profile_of_rgb_is_applied(name, file_format, mode):
    primaries, gamma = RGB_PROFILES[name]
    image = Image.new("RGB", (16, 16), PIXEL).convert(mode)
    source = pixel_at(image.convert("RGB"), 0)
    data = written(image, file_format, profiles.of_rgb(primaries, gamma))
    pixel = first_pixel(data)
    assert is_near(pixel, profiles.in_srgb(source, primaries, gamma), 3), pixel
    without = first_pixel(written(image, file_format, None))
    assert is_near(without, source, 3)


@pytest.mark.parametrize(
    ("file_format", "mode"),
    [("JPEG", "L"), ("PNG", "L"), ("PNG", "LA"), ("PNG", "I;16"), ("PNG", "1")],
)
def test_a_profile_of_grey_is_applied(file_format, mode):
    image = Image.new("I;16", (16, 16), 0x6000) if mode == "I;16" else Image.new("L", (16, 16), 96)
    if mode != "I;16":
        image = image.convert(mode, dither=Image.Dither.NONE)
    value = 0 if mode == "1" else 96
    expected = profiles.grey_in_srgb(value, 1.0)
    pixel = first_pixel(written(image, file_format, profiles.of_grey(1.0)))
    assert is_near(pixel, (expected,) * 3, 3), pixel


def test_a_profile_of_ink_is_applied():
    cyan = Image.new("CMYK", (16, 16), (255, 0, 0, 0))
    assert is_near(first_pixel(written(cyan, "JPEG", None)), (0, 255, 255))
    pixel = first_pixel(written(cyan, "JPEG", profiles.of_ink()))
    assert is_near(pixel, (119, 119, 119), 3), pixel


@pytest.mark.parametrize("file_format", ["PNG", "WEBP"])
def test_alpha_is_kept_until_the_picture_is_on_white(file_format):
    profile = profiles.of_rgb(profiles.P3)
    opaque = profiles.in_srgb(PIXEL, profiles.P3)
    for alpha in (0, 128, 255):
        data = written(Image.new("RGBA", (16, 16), (*PIXEL, alpha)), file_format, profile)
        on_white = tuple(round((v * alpha + 255 * (255 - alpha)) / 255) for v in opaque)
        assert is_near(first_pixel(data), on_white)
    grey = Image.new("LA", (16, 16), (96, 0))
    assert first_pixel(written(grey, "PNG", profiles.of_grey(1.0))) == (255, 255, 255)


def wrong_profiles() -> dict[str, bytes]:
    whole = profiles.of_rgb(profiles.P3)
    return {
        "empty": b"",
        "garbage": b"\xde\xad\xbe\xef" * 200,
        "a header only": whole[:128],
        "cut": whole[:-30],
        "no tags": profiles.profile(b"RGB ", []),
        "a tag outside": whole.replace(
            struct.pack(">I", whole.index(b"para")), b"\x7f\xff\xff\xff"
        ),
        "of another kind": profiles.profile(b"XYZ ", [], connection=b"Lab ", kind=b"spac"),
        "of six inks": profiles.profile(b"6CLR", [], kind=b"prtr"),
        "a link of devices": profiles.profile(b"RGB ", [], connection=b"RGB ", kind=b"link"),
        "of named colours": profiles.profile(b"RGB ", [(b"ncl2", bytes(90))], kind=b"nmcl"),
        "of ink without a table": profiles.profile(b"CMYK", [], connection=b"Lab ", kind=b"prtr"),
        "of everything": bytes(image_metadata.MAX_PROFILE + 1),
    }


MODES = [("JPEG", "RGB"), ("JPEG", "L"), ("JPEG", "CMYK"), ("PNG", "RGB"), ("PNG", "RGBA"),
         ("PNG", "L"), ("PNG", "LA"), ("PNG", "P"), ("PNG", "1"), ("PNG", "I;16"),
         ("WEBP", "RGB"), ("WEBP", "RGBA")]  # fmt: skip


@pytest.mark.parametrize("profile", wrong_profiles().values(), ids=wrong_profiles().keys())
@pytest.mark.parametrize(("file_format", "mode"), MODES)
def test_a_profile_that_cannot_be_applied_is_ignored(file_format, mode, profile):
    image = Image.new("RGB", (16, 16), PIXEL).convert("L" if mode == "I;16" else mode)
    image = image.convert(mode)
    plain = first_pixel(written(image, file_format, None))
    assert first_pixel(written(image, file_format, profile)) == plain


@pytest.mark.parametrize(("file_format", "mode"), MODES)
@pytest.mark.parametrize("kind", ["grey", "ink", "rgb"])
def test_a_profile_of_other_colours_refuses_nothing(file_format, mode, kind):
    profile = {
        "grey": profiles.of_grey(1.0),
        "ink": profiles.of_ink(),
        "rgb": profiles.of_rgb(profiles.P3),
    }[kind]
    image = Image.new("RGB", (16, 16), PIXEL).convert("L" if mode == "I;16" else mode)
    image = image.convert(mode)
    plain = first_pixel(written(image, file_format, None))
    pixel = first_pixel(written(image, file_format, profile))
    ours = {"CMYK": ["ink"], "L": ["grey", "rgb"], "LA": ["grey", "rgb"], "1": ["grey", "rgb"],
            "I;16": ["grey", "rgb"]}.get(mode, ["rgb"])  # fmt: skip
    assert kind in ours or pixel == plain


def test_no_damaged_profile_refuses_a_picture_or_ends_the_process():
    """In a process of its own, since LittleCMS could crash."""
    code = (
        "import sys, random\n"
        "sys.path.insert(0, sys.argv[1])\n"
        "from PIL import Image\n"
        "from generation.inputs.image_colours import plain_rgb\n"
        "from tests.support import profiles\n"
        "seed = random.Random(3)\n"
        "whole = [(profiles.of_rgb(profiles.P3), 'RGB'), (profiles.of_grey(2.2), 'L'),\n"
        "         (profiles.of_ink(), 'CMYK')]\n"
        "for _ in range(1500):\n"
        "    profile, mode = seed.choice(whole)\n"
        "    data = bytearray(profile)\n"
        "    for _ in range(seed.randrange(1, 8)):\n"
        "        data[seed.randrange(128, len(data))] = seed.randrange(256)\n"
        "    size = seed.choice([len(data), seed.randrange(len(data))])\n"
        "    plain_rgb(Image.new(mode, (3, 3)), bytes(data)[:size])\n"
    )
    root = image_child.__file__.rpartition("/generation/")[0]
    subprocess.run([sys.executable, "-c", code, root], check=True)


def png(depth: int, colour_type: int, row: bytes, key: bytes) -> bytes:
    width = len(row) * 8 // (depth * {0: 1, 2: 3}[colour_type])
    header = struct.pack(">IIBBBBB", width, 1, depth, colour_type, 0, 0, 0)
    start = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"tRNS", key)
    return start + chunk(b"IDAT", zlib.compress(b"\0" + row)) + chunk(b"IEND", b"")


@pytest.mark.parametrize("profile", [None, profiles.of_grey(2.2)], ids=["plain", "profile"])
@pytest.mark.parametrize("depth", [1, 2, 4, 8, 16])
def test_a_grey_value_that_means_transparent_becomes_white(depth, profile):
    """And its neighbours, which differ in the last bit only, do not."""
    values = [0, 1] if depth == 1 else [1, 0, (1 << depth) - 1, (1 << depth) - 2]
    bits = "".join(f"{value:0{depth}b}" for value in values).ljust(8, "0")
    row = int(bits, 2).to_bytes(len(bits) // 8)
    data = png(depth, 0, row, struct.pack(">H", values[0]))
    if profile:
        data = data[:33] + chunk(b"iCCP", b"x\0\0" + zlib.compress(profile)) + data[33:]
    image = opened(image_child.reencode(data)[1])
    assert image.getpixel((0, 0)) == (255, 255, 255)
    for place, value in list(enumerate(values))[1:]:
        level = value * 255 // ((1 << depth) - 1)
        pixel = pixel_at(image, place)
        assert is_near(pixel, (level,) * 3, 8), (place, pixel)


@pytest.mark.parametrize("depth", [8, 16])
def test_a_colour_that_means_transparent_becomes_white(depth):
    key = (10, 20, 30) if depth == 8 else (0x1234, 0x5678, 0x9ABC)
    near = (*key[:2], key[2] + 1)
    code = ">3B" if depth == 8 else ">3H"
    row = struct.pack(code, *key) + struct.pack(code, *near)
    image = opened(image_child.reencode(png(depth, 2, row, struct.pack(">3H", *key)))[1])
    assert image.getpixel((0, 0)) == (255, 255, 255)
    assert image.getpixel((1, 0)) == (near if depth == 8 else (0x12, 0x56, 0x9A))


def test_random_pictures_of_16_bits_lose_no_pixel():
    seed = random.Random(5)
    values = [seed.randrange(1 << 16) for _ in range(64)]
    row = struct.pack(">64H", *values)
    image = opened(image_child.reencode(png(16, 0, row, struct.pack(">H", values[7])))[1])
    for place, value in enumerate(values):
        expected = 255 if value == values[7] else value >> 8
        assert image.getpixel((place, 0)) == (expected,) * 3


def test_the_built_in_profile_of_srgb_changes_nothing():
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    ramp = Image.linear_gradient("L").resize((64, 64))
    image = Image.merge("RGB", (ramp, ramp.rotate(90), ramp.rotate(180)))
    result = opened(image_child.reencode(written(image, "PNG", srgb))[1])
    pairs = zip(result.tobytes(), image.tobytes(), strict=True)
    assert max(abs(a - b) for a, b in pairs) <= 1
