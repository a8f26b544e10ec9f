"""Any decoded picture as plain RGB in sRGB, on white.

A provider takes all values for sRGB, so LittleCMS applies a profile here, as a browser does. A
profile that is broken, or of another kind of colours than the picture, is ignored. Transparent
parts become white, because what a provider would make of them is not defined.
"""

from __future__ import annotations

import io

from PIL import Image, ImageChops, ImageCms

_SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))
_KINDS = {"RGB ": "RGB", "GRAY": "L", "CMYK": "CMYK"}  # of a profile's colours: Pillow's mode


def plain_rgb(
    image: Image.Image, profile: bytes | None, opaque: Image.Image | None = None
) -> Image.Image:
    """A fresh RGB picture of ``image``'s pixels; ``image`` may be used up.

    ``opaque`` (mode L) says where it is not transparent, if ``image`` does not say it itself.
    """
    image.load()  # the file behind it may be closed before its pixels are asked for again
    colours, own_opaque = _layers(image)
    mask = opaque or own_opaque
    picture = _in_srgb(colours, profile)
    if mask is not None or picture.mode == "RGBA":
        below = Image.new("RGB", picture.size, "white")
        below.paste(picture, mask=mask or picture)
        picture = below
    picture.info = {}  # or the encoder would write some of it
    return picture


def low_bytes_differ(high: Image.Image, low: Image.Image, key: tuple[int, int, int]) -> Image.Image:
    """Where a picture of 16 bits, given as two of 8, is not of the colour ``key`` (mode L)."""
    differ = Image.new("L", high.size)
    for image, value in ((high, [part >> 8 for part in key]), (low, [part & 255 for part in key])):
        for band, wanted in zip(image.split(), value, strict=True):
            other = band.point([0 if level == wanted else 255 for level in range(256)])
            differ = ImageChops.lighter(differ, other)
    return differ


def _layers(image: Image.Image) -> tuple[Image.Image, Image.Image | None]:
    """(L, RGB, RGBA or CMYK; where it is opaque, as L, if that is no part of it and known)."""
    if image.mode.startswith("I"):  # 16-bit grey; Pillow's own conversion would clip it to white
        whole = image.convert("I")
        grey = whole.point([value >> 8 for value in range(1 << 16)], "L")
        if (key := image.info.get("transparency")) is None:
            return grey, None
        return grey, whole.point([255 if value != key else 0 for value in range(1 << 16)], "L")
    if image.mode == "LA" or (image.mode in ("1", "L") and image.has_transparency_data):
        grey_and_alpha = image.convert("LA")
        return grey_and_alpha.getchannel("L"), grey_and_alpha.getchannel("A")
    if image.has_transparency_data:
        return _in_mode(image, "RGBA"), None
    if image.mode in ("L", "CMYK"):
        return image, None
    return _in_mode(image, "L" if image.mode == "1" else "RGB"), None


def _in_mode(image: Image.Image, mode: str) -> Image.Image:
    """The image in ``mode``. One that has it already is not copied: it may have 100 MB."""
    return image if image.mode == mode else image.convert(mode)


def _in_srgb(image: Image.Image, profile: bytes | None) -> Image.Image:
    """RGB, or RGBA if ``image`` is."""
    if profile:
        try:
            return _applied(image, profile)
        except (OSError, ValueError, TypeError, AttributeError, MemoryError):
            pass  # LittleCMS does not understand it: as good as none
    return image if image.mode == "RGBA" else _in_mode(image, "RGB")


def _applied(image: Image.Image, profile: bytes) -> Image.Image:
    """Raises one of many errors if ``profile`` is not one for ``image``."""
    source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
    kind = _KINDS.get(source.profile.xcolor_space)
    if kind == "RGB" and image.mode == "L":  # browsers apply those, too
        image = _in_mode(image, "RGB")
    if kind is None or kind != image.mode.removesuffix("A"):
        raise ValueError("a profile of other colours")
    if kind == "RGB":  # in place, which leaves alpha alone
        return ImageCms.ImageCmsTransform(source, _SRGB, image.mode, image.mode).apply_in_place(
            image
        )
    return ImageCms.ImageCmsTransform(source, _SRGB, kind, "RGB").apply(image)
