"""A few pictures to make videos from: ``/sample-images/landscape.png`` and so on."""

from __future__ import annotations

import asyncio
import io
import random
from functools import lru_cache

from aiohttp import web
from PIL import Image, ImageDraw, ImageFilter

from dev.emulator.drawing import Color, Size

SIZES: dict[str, Size] = {
    "landscape": (1280, 720),
    "portrait": (720, 1280),
    "square": (1024, 1024),
    "photo": (1600, 1200),
}
CONTENT_TYPES = {"png": "image/png", "jpg": "image/jpeg"}
# Sky above, sky at the horizon, sun, far hills, near hills.
SKIES: dict[str, tuple[Color, Color, Color, Color, Color]] = {
    "landscape": ((36, 44, 96), (250, 158, 110), (255, 226, 160), (110, 74, 122), (38, 30, 62)),
    "portrait": ((20, 66, 110), (190, 224, 226), (255, 250, 226), (86, 138, 150), (22, 62, 72)),
    "square": ((70, 30, 80), (246, 120, 120), (255, 214, 180), (130, 60, 110), (48, 22, 58)),
    "photo": ((92, 152, 206), (228, 236, 232), (255, 255, 240), (112, 146, 132), (46, 84, 58)),
}


async def sample_image(request: web.Request) -> web.Response:
    """A generated sample picture, as PNG or JPEG."""
    name, kind = request.match_info["name"], request.match_info["kind"]
    if name not in SIZES:
        raise web.HTTPNotFound
    data = await asyncio.to_thread(draw, name, kind)
    return web.Response(body=data, content_type=CONTENT_TYPES[kind])


@lru_cache(maxsize=8)
def draw(name: str, kind: str) -> bytes:
    """Hills under a low sun: ``name`` out of SIZES, ``kind`` ``png`` or ``jpg``."""
    size, (high, low, sun, far, near) = SIZES[name], SKIES[name]
    rng = random.Random(name)
    shade = Image.linear_gradient("L").resize(size)
    picture = Image.composite(Image.new("RGB", size, low), Image.new("RGB", size, high), shade)
    _sun(picture, sun, rng)
    for layer in range(4):
        tone = _mix(far, near, layer / 3)
        _hills(picture, tone, 0.5 + 0.13 * layer, rng)
    if kind == "jpg":
        # Grain, so that it weighs and compresses like a photograph.
        grain = Image.effect_noise(size, 26).convert("RGB")
        picture = Image.blend(picture, grain, 0.07)
    target = io.BytesIO()
    picture.save(target, {"png": "PNG", "jpg": "JPEG"}[kind], quality=90, compress_level=6)
    return target.getvalue()


def _sun(picture: Image.Image, color: Color, rng: random.Random) -> None:
    width, height = picture.size
    radius = min(width, height) * 0.09
    x, y = width * rng.uniform(0.3, 0.7), height * 0.42
    disc = Image.new("L", picture.size, 0)
    ImageDraw.Draw(disc).ellipse((x - radius, y - radius, x + radius, y + radius), fill=255)
    glow = disc.filter(ImageFilter.GaussianBlur(radius)).point(
        [min(255, v * 2) for v in range(256)]
    )
    picture.paste(color, (0, 0), glow.point([v // 2 for v in range(256)]))
    picture.paste(color, (0, 0), disc.filter(ImageFilter.GaussianBlur(2)))


def _hills(picture: Image.Image, color: Color, level: float, rng: random.Random) -> None:
    width, height = picture.size
    heights = [level * height]
    step = width / 48
    for _ in range(48):
        drift = rng.uniform(-1, 1) * step * 0.7 + (level * height - heights[-1]) * 0.08
        heights.append(heights[-1] + drift)
    outline = [(number * step, top) for number, top in enumerate(heights)]
    ImageDraw.Draw(picture).polygon([(0, height), *outline, (width, height)], fill=color)


def _mix(one: Color, other: Color, share: float) -> Color:
    red, green, blue = (round(a + (b - a) * share) for a, b in zip(one, other, strict=True))
    return red, green, blue
