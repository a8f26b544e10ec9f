"""The body of generateContent, judged as strictly as by the real service."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from dev.emulator import fields
from dev.emulator.errors import invalid
from dev.emulator.render_image import FACTORS, SIZES_1K
from dev.emulator.scenarios import Scenario

GENERATION_CONFIG = (
    "responseModalities", "imageConfig", "candidateCount", "seed", "temperature", "topP", "topK",
    "maxOutputTokens",
)  # fmt: skip
GENERATE_CONTENT = (
    "contents", "generationConfig", "safetySettings", "systemInstruction", "labels", "tools",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class ImageRequest:
    """A valid generateContent body of an image model."""

    prompt: str
    caption: str
    scenario: Scenario
    labels: dict[str, str]
    aspect_ratio: str
    image_size: str
    seed: int
    inputs: tuple[bytes, ...]


def image_request(body: Any) -> ImageRequest:
    """Read a generateContent body. Raises a 400 ApiError that names what is wrong."""
    top = fields.an_object(body, "body", GENERATE_CONTENT)
    config = fields.an_object(
        top.get("generationConfig", {}), "generationConfig", GENERATION_CONFIG
    )
    modalities = fields.a_list(config.get("responseModalities", ["TEXT", "IMAGE"]), "modalities")
    if "IMAGE" not in [str(each).upper() for each in modalities]:
        raise invalid("This emulator only answers requests for images (responseModalities IMAGE).")
    fields.integer(config, "candidateCount", 1, (1,))
    known = ("aspectRatio", "imageSize", "imageOutputOptions", "personGeneration")
    shape = fields.an_object(config.get("imageConfig", {}), "imageConfig", known)
    words, inputs = _parts(fields.a_list(top.get("contents"), "contents"))
    prompt, scenario, caption = fields.prompt(" ".join(words))
    if not prompt.strip():
        raise invalid("The prompt is empty.")
    return ImageRequest(
        prompt=prompt,
        caption=caption,
        scenario=scenario,
        labels=fields.labels(top),
        aspect_ratio=fields.choice(shape, "aspectRatio", "1:1", tuple(SIZES_1K)),
        image_size=fields.choice(shape, "imageSize", "1K", tuple(FACTORS)),
        seed=fields.integer(config, "seed", 0, range(-(2**31), 2**32)),
        inputs=inputs,
    )


def _parts(contents: list[Any]) -> tuple[list[str], tuple[bytes, ...]]:
    words: list[str] = []
    inputs: list[bytes] = []
    for content in contents:
        source = fields.an_object(content, "contents", ("role", "parts"))
        fields.choice(source, "role", "user", ("user",))
        for part in fields.a_list(source.get("parts"), "parts"):
            piece = fields.an_object(part, "parts", ("text", "inlineData"))
            words.append(fields.text(piece, "text"))
            if "inlineData" in piece:
                inputs.append(_inline(piece["inlineData"]))
    return words, tuple(inputs)


def _inline(value: Any) -> bytes:
    source = fields.an_object(value, "inlineData", ("mimeType", "data", "displayName"))
    mime_type = fields.choice(source, "mimeType", "", tuple(fields.IMAGE_FORMATS))
    data = fields.decoded(fields.text(source, "data"), "inlineData.data")
    fields.check_image(data, mime_type, "inlineData")
    return data
