"""What emulated pictures are made of: a moving gradient, soft lights, a caption and a mark.

Everything follows from a seed, so the same request always gives the same picture.
"""

from __future__ import annotations

import math
import random
from dataclasses import dataclass

from PIL import Image, ImageDraw, ImageFont

Size = tuple[int, int]
Color = tuple[int, int, int]
Font = ImageFont.FreeTypeFont | ImageFont.ImageFont

# Three tones a palette: deep, middle, bright. Dark enough for white text on all of them.
PALETTES: tuple[tuple[Color, Color, Color], ...] = (
    ((16, 24, 64), (72, 61, 168), (238, 118, 116)),
    ((8, 45, 59), (18, 120, 120), (244, 196, 108)),
    ((42, 16, 62), (160, 44, 110), (250, 154, 92)),
    ((12, 32, 40), (34, 97, 74), (168, 205, 112)),
    ((20, 20, 44), (38, 86, 160), (112, 206, 222)),
    ((52, 18, 24), (170, 62, 48), (246, 200, 130)),
)
CAPTION_LINES = 4
WIDER_FONTS = ("NotoSansCJK-Regular.ttc", "DejaVuSans.ttf")


def _texture(rng: random.Random, size: Size, palette: tuple[Color, Color, Color]) -> Image.Image:
    """A smooth field of the palette's colors: a few random cells, blown up."""
    cells = Image.new("RGB", (6, 6))
    tones = [palette[0]] * 14 + [palette[1]] * 15 + [palette[2]] * 7
    rng.shuffle(tones)
    cells.putdata(tones)
    return cells.resize(size, Image.Resampling.BICUBIC)


@dataclass(slots=True)
class _Light:
    glow: Image.Image
    orbit: tuple[float, float, float, float]
    phase: float


class Layer:
    """Something to lay over a picture: only the part that is not transparent, and where it goes."""

    def __init__(self, whole: Image.Image) -> None:
        box = whole.getbbox() or (0, 0, 1, 1)
        self._part, self._at = whole.crop(box), (box[0], box[1])

    def put_on(self, picture: Image.Image) -> None:
        """Paste this layer over ``picture``."""
        picture.paste(self._part, self._at, self._part)

    def faded(self, strength: float) -> Layer:
        """The same with its opacity multiplied by ``strength`` (0 to 1)."""
        alpha = self._part.getchannel("A").point([round(each * strength) for each in range(256)])
        copy = Layer.__new__(Layer)
        copy._part, copy._at = self._part.copy(), self._at
        copy._part.putalpha(alpha)
        return copy


class Backdrop:
    """A gradient that drifts, with soft lights floating over it."""

    def __init__(self, rng: random.Random, size: Size) -> None:
        self.size = size
        # A quarter of the size is enough for colors without edges, and sixteen times cheaper.
        self._small = (max(16, size[0] // 4), max(16, size[1] // 4))
        wide = (self._small[0] * 2, self._small[1] * 2)
        palette = rng.choice(PALETTES)
        self._near, self._far = _texture(rng, wide, palette), _texture(rng, wide, palette)
        self._phase = rng.uniform(0, math.tau)
        self._lights = [self._light(rng) for _ in range(5)]

    def _light(self, rng: random.Random) -> _Light:
        radius = int(min(self._small) * rng.uniform(0.14, 0.42))
        glow = Image.radial_gradient("L").resize((radius * 2, radius * 2))
        strength = rng.uniform(0.10, 0.32)
        glow = glow.point([int(max(0, 255 - value * 1.42) * strength) for value in range(256)])
        orbit = (
            rng.uniform(0, 1),
            rng.uniform(0, 1),
            rng.uniform(0.05, 0.3),
            rng.uniform(0.05, 0.3),
        )
        return _Light(glow, orbit, rng.uniform(0, math.tau))

    def frame(self, turn: float) -> Image.Image:
        """The picture at ``turn``, where 1 is one slow round of the movement."""
        angle = self._phase + math.tau * turn
        width, height = self._small

        def window(texture: Image.Image, at: float) -> Image.Image:
            left = width * (0.5 + 0.45 * math.cos(at))
            top = height * (0.5 + 0.45 * math.sin(at))
            return texture.resize(
                self._small, Image.Resampling.BILINEAR, (left, top, left + width, top + height)
            )

        mix = 0.5 + 0.25 * math.sin(angle * 2)
        picture = Image.blend(window(self._near, angle), window(self._far, -angle), mix)
        for light in self._lights:
            self._shine(picture, light, angle)
        return picture.resize(self.size, Image.Resampling.BILINEAR)

    def _shine(self, picture: Image.Image, light: _Light, angle: float) -> None:
        x, y, across, along = light.orbit
        center_x = (x + across * math.cos(angle + light.phase)) * self._small[0]
        center_y = (y + along * math.sin(angle + light.phase)) * self._small[1]
        radius = light.glow.width // 2
        picture.paste((255, 250, 235), (int(center_x) - radius, int(center_y) - radius), light.glow)


def font(pixels: int, text: str = "") -> Font:
    """Pillow's own typeface; a system one for texts in a script that it lacks."""
    for name in () if text.isascii() else WIDER_FONTS:
        try:
            return ImageFont.truetype(name, pixels)
        except OSError:
            continue
    return ImageFont.load_default(size=pixels)


def wrap(text: str, face: Font, width: int, most: int) -> list[str]:
    """Lines of ``text`` no wider than ``width`` pixels, at most ``most`` of them.

    Words that are too long (or a script without spaces) are broken between characters.
    """
    lines: list[str] = []
    line = ""
    for word in text.split():
        if face.getlength(f"{line} {word}".strip()) <= width:
            line = f"{line} {word}".strip()
            continue
        if line:
            lines.append(line)
        line = word
        while face.getlength(line) > width:
            fits = max(1, _fitting(line, face, width))
            lines.append(line[:fits])
            line = line[fits:]
    lines.append(line)
    if len(lines) > most:
        lines = [*lines[: most - 1], lines[most - 1].rstrip(" ,.") + "\u2026"]
    return [each for each in lines if each]


def _fitting(line: str, face: Font, width: int) -> int:
    for count in range(1, len(line) + 1):
        if face.getlength(line[:count]) > width:
            return count - 1
    return len(line)


def caption(text: str, size: Size) -> Layer:
    """A transparent layer with the prompt at the bottom, on a shade that keeps it legible."""
    layer = Image.new("RGBA", size, (0, 0, 0, 0))
    if not text.strip():
        return Layer(layer)
    width, height = size
    pixels = max(11, round(min(size) / 17))
    face = font(pixels, text)
    margin = max(8, round(width * 0.06))
    lines = wrap(text, face, width - 2 * margin, CAPTION_LINES)
    step = round(pixels * 1.35)
    top = height - margin // 2 - step * len(lines) - round(pixels * 0.5)
    shade_top = max(0, top - step * 2)
    shade = Image.linear_gradient("L").resize((width, height - shade_top))
    shade = shade.point([min(190, int(value * 1.1)) for value in range(256)])
    black = Image.new("RGBA", shade.size, (0, 0, 0, 255))
    black.putalpha(shade)
    layer.paste(black, (0, shade_top))
    draw = ImageDraw.Draw(layer)
    for number, line in enumerate(lines):
        draw.text(
            (width / 2, top + step * (number + 0.5)),
            line,
            font=face,
            fill=(255, 255, 255, 255),
            anchor="mm",
        )
    return Layer(layer)


def mark(size: Size) -> Layer:
    """The small EMULATED sign in the top right corner, as a transparent layer."""
    layer = Image.new("RGBA", size, (0, 0, 0, 0))
    pixels = max(8, round(min(size) / 30))
    face = font(pixels)
    draw = ImageDraw.Draw(layer)
    length = face.getlength("EMULATED")
    pad, edge = round(pixels * 0.6), round(pixels * 1.1)
    right, top = size[0] - edge, edge
    box = (right - length - 2 * pad, top, right, top + round(pixels * 1.9))
    draw.rounded_rectangle(box, radius=round(pixels * 0.95), fill=(0, 0, 0, 120))
    center = ((box[0] + box[2]) / 2, (box[1] + box[3]) / 2)
    draw.text(center, "EMULATED", font=face, fill=(255, 255, 255, 220), anchor="mm")
    return Layer(layer)
