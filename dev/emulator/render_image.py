"""Renders the still pictures: PNG answers of the image models, and the sample images."""

from __future__ import annotations

import io
import random
from dataclasses import dataclass

from PIL import Image, ImageOps

from dev.emulator.drawing import Backdrop, Size, caption, mark

# Pixels at the size "1K" for every ratio of the gemini-*-image models (Google's table).
SIZES_1K: dict[str, Size] = {
    "1:1": (1024, 1024),
    "2:3": (832, 1248),
    "3:2": (1248, 832),
    "3:4": (864, 1184),
    "4:3": (1184, 864),
    "4:5": (896, 1152),
    "5:4": (1152, 896),
    "9:16": (768, 1344),
    "16:9": (1344, 768),
    "21:9": (1536, 672),
}
FACTORS = {"1K": 1.0, "2K": 2.0, "4K": 4.0}


@dataclass(frozen=True, slots=True)
class Still:
    """What decides how a picture looks. ``inputs`` are whole JPEG or PNG files."""

    caption: str
    size: Size
    seed: int = 0
    inputs: tuple[bytes, ...] = ()


def pixels(aspect_ratio: str, image_size: str, scale: float) -> Size:
    """Width and height for a ratio and ``1K``, ``2K`` or ``4K``, times ``scale``."""
    width, height = SIZES_1K[aspect_ratio]
    factor = FACTORS[image_size] * scale
    return round(width * factor), round(height * factor)


def render_image(still: Still) -> bytes:
    """The PNG file of ``still``."""
    rng = random.Random(f"{still.seed}|{still.caption}")
    picture = Backdrop(rng, still.size).frame(rng.random())
    edge = round(min(still.size) * 0.5 / max(1, len(still.inputs)))
    for number, data in enumerate(still.inputs):
        with Image.open(io.BytesIO(data)) as given:
            card = ImageOps.fit(given.convert("RGB"), (edge, edge))
        left = round(still.size[0] * (number + 1) / (len(still.inputs) + 1) - edge / 2)
        picture.paste(card, (left, round(still.size[1] * 0.4 - edge / 2)))
    caption(still.caption, still.size).put_on(picture)
    mark(still.size).put_on(picture)
    target = io.BytesIO()
    picture.save(target, "PNG", compress_level=1)
    return target.getvalue()
