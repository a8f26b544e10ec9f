"""A customer's image becomes our own bytes, or one sentence; it never becomes a dead worker."""

from __future__ import annotations

import asyncio
import io

import pytest
from PIL import Image, ImageChops, PngImagePlugin

from generation.backends.base import SourceImage
from generation.inputs.source_images import InvalidSourceImage, load_source_images, prepare
from tests.support.images import encoded, halves, opened
from tests.support.loopback import Handler, ok, serving


def prepared(data: bytes) -> SourceImage:
    return asyncio.run(prepare(data))


def load(data: bytes, *, index: int = 0, head: str = "200 OK") -> SourceImage:
    """The image at that place of a list whose others are good."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked = await reader.readuntil(b"\r\n\r\n")
        answer = ok(data, "Content-Type: text/html").replace(b"200 OK", head.encode())
        writer.write(answer if b"/this" in asked else ok(encoded(halves(), "PNG")))

    async def main() -> SourceImage:
        async with serving(handle) as port:
            origin = f"http://127.0.0.1:{port}"
            urls = [f"{origin}/other"] * index + [f"{origin}/this"]
            allowed = frozenset({origin})
            return (await load_source_images(urls, seconds=30, allowed_origins=allowed))[index]

    return asyncio.run(main())


@pytest.mark.parametrize(
    ("file_format", "mode", "mime_type"),
    [
        ("JPEG", "RGB", "image/jpeg"),
        ("JPEG", "L", "image/jpeg"),
        ("JPEG", "CMYK", "image/jpeg"),
        ("WEBP", "RGB", "image/jpeg"),
        ("WEBP", "RGBA", "image/jpeg"),
        ("PNG", "RGB", "image/png"),
        ("PNG", "RGBA", "image/png"),
        ("PNG", "P", "image/png"),
        ("PNG", "LA", "image/png"),
        ("PNG", "1", "image/png"),
    ],
)
def test_every_kind_becomes_plain_rgb(file_format, mode, mime_type):
    result = load(encoded(halves(mode=mode), file_format))
    assert result.mime_type == mime_type
    image = opened(result.data)
    assert image.mode == "RGB"
    assert image.size == (40, 20)
    assert image.format == mime_type.removeprefix("image/").upper()
    expected = halves(mode=mode).convert("RGB")
    if mode != "1":
        difference = ImageChops.difference(image, expected).convert("L")
        assert not any(difference.histogram()[64:])


def test_sixteen_bit_grey_is_scaled_not_clipped():
    grey = Image.new("I;16", (4, 4), 0x8000)
    assert opened(prepared(encoded(grey, "PNG")).data).getpixel((0, 0)) == (128, 128, 128)


def test_transparent_becomes_white():
    half = Image.new("RGBA", (4, 4), (0, 0, 0, 0))
    assert opened(prepared(encoded(half, "PNG")).data).getpixel((0, 0)) == (255, 255, 255)
    palette = Image.new("P", (4, 4), 0)
    data = prepared(encoded(palette, "PNG", transparency=0)).data
    assert opened(data).getpixel((0, 0)) == (255, 255, 255)


@pytest.mark.parametrize("file_format", ["JPEG", "PNG", "WEBP"])
def test_a_turned_photo_is_upright_and_tells_nothing(file_format):
    exif = Image.Exif()
    exif[0x0112] = 6  # orientation: turn a quarter clockwise
    exif[0x010F] = "SecretCamera"
    options = {"exif": exif, "icc_profile": b"SecretProfile" * 20}
    data = encoded(halves(), file_format, **options)
    assert b"SecretCamera" in data
    result = prepared(data).data
    image = opened(result)
    assert image.size == (20, 40)
    upper, lower = image.crop((0, 0, 20, 15)), image.crop((0, 25, 20, 40))
    assert max(ImageChops.difference(upper, Image.new("RGB", upper.size, "red")).tobytes()) < 64
    assert max(ImageChops.difference(lower, Image.new("RGB", lower.size, "blue")).tobytes()) < 64
    assert b"Secret" not in result
    assert not image.getexif()
    assert not {"icc_profile", "exif", "xmp", "comment"} & set(image.info)


def test_text_comments_and_what_follows_the_image_are_gone():
    text = PngImagePlugin.PngInfo()
    text.add_text("Comment", "<script>alert(1)</script>")
    png = encoded(halves(), "PNG", pnginfo=text) + b"<script>alert(2)</script>"
    jpeg = encoded(halves(), "JPEG", comment=b"<?php 1 ?>") + b"PK\x03\x04<script>"
    for data in (png, jpeg):
        result = prepared(data).data
        assert b"script" not in result
        assert b"<?php" not in result


def test_a_phones_photo_with_a_preview_behind_it_is_that_photo():
    buffer = io.BytesIO()
    halves().save(buffer, "MPO", save_all=True, append_images=[Image.new("RGB", (10, 10), "white")])
    assert opened(buffer.getvalue()).format == "MPO"
    assert opened(prepared(buffer.getvalue()).data).size == (40, 20)


def animated(file_format: str) -> bytes:
    return encoded(halves(), file_format, save_all=True, append_images=[Image.new("RGB", (40, 20))])


def without_its_end(data: bytes) -> bytes:
    return data[: len(data) * 2 // 3]


REFUSED = {
    "svg": b'<svg xmlns="http://www.w3.org/2000/svg"/>',
    "html": b"<!DOCTYPE html><title>Router login</title>",
    "nothing": b"",
    "gif": encoded(halves(), "GIF"),
    "animated gif": animated("GIF"),
    "animated webp": animated("WEBP"),
    "animated png": animated("PNG"),
    "tiff": encoded(halves(), "TIFF"),
    "bmp": encoded(halves(), "BMP"),
    "avif": encoded(halves(), "AVIF"),
    "pdf": encoded(halves(), "PDF"),
    "postscript": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n",
    "truncated jpeg": without_its_end(encoded(halves(400, 400), "JPEG")),
    "truncated png": without_its_end(encoded(Image.effect_noise((99, 99), 50), "PNG")),
    "truncated webp": without_its_end(encoded(Image.effect_noise((99, 99), 50), "WEBP")),
    "too wide": encoded(Image.new("1", (8193, 1)), "PNG"),
    "too high": encoded(Image.new("1", (1, 8193)), "PNG"),
    "too many pixels": encoded(Image.new("1", (5001, 5000)), "PNG"),
}


@pytest.mark.parametrize("data", REFUSED.values(), ids=REFUSED.keys())
def test_everything_else_is_the_same_sentence(data):
    with pytest.raises(InvalidSourceImage) as caught:
        load(data, index=2)
    assert str(caught.value) == "source_image_urls[2] could not be used as an image"
    assert caught.value.index == 2


def test_a_refused_url_a_wrong_status_and_a_wrong_image_read_alike():
    sentences = set()
    for head, data in (("404 No", b""), ("200 OK", b"<html>"), ("500 No", b"")):
        with pytest.raises(InvalidSourceImage) as caught:
            load(data, index=0, head=head)
        sentences.add(str(caught.value))
    with pytest.raises(InvalidSourceImage) as caught:
        asyncio.run(load_source_images(["http://169.254.169.254/"], seconds=30))
    assert (
        caught.value.detail
        == "source_image_urls[0]: must not name a private or reserved address at 169.254.169.254"
    )
    assert sentences | {str(caught.value)} == {"source_image_urls[0] could not be used as an image"}


async def slow_picture(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """After 0.5 s an image as wide as the path says, or 404 for a path that is no number."""
    width = (await reader.readuntil(b"\r\n\r\n")).split()[1].decode().strip("/")
    await asyncio.sleep(0.5)
    found = width.isdigit()
    writer.write(ok(encoded(Image.new("RGB", (int(width), 1)), "PNG")) if found else NOT_FOUND)


NOT_FOUND = b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"


def load_all(*paths: str, handler: Handler = slow_picture) -> tuple[SourceImage, ...]:
    async def main() -> tuple[SourceImage, ...]:
        async with serving(handler) as port:
            origin = f"http://127.0.0.1:{port}"
            urls = [f"{origin}/{path}" for path in paths]
            allowed = frozenset({origin})
            return await load_source_images(urls, seconds=30, allowed_origins=allowed)

    return asyncio.run(main())


def test_several_are_loaded_side_by_side_and_stay_in_order():
    """Nobody is answered before all three have asked."""
    here = 0
    together = asyncio.Event()

    async def meeting(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal here
        width = int((await reader.readuntil(b"\r\n\r\n")).split()[1].decode().strip("/"))
        here += 1
        if here == 3:
            together.set()
        await together.wait()
        writer.write(ok(encoded(Image.new("RGB", (width, 1)), "PNG")))

    images = load_all("3", "1", "2", handler=meeting)
    assert [opened(image.data).width for image in images] == [3, 1, 2]
    assert load_all() == ()


def test_the_first_bad_entry_is_named():
    with pytest.raises(InvalidSourceImage) as caught:
        load_all("3", "x", "y")
    assert caught.value.index == 1
