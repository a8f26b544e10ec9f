"""The bodies of the two requests that buy something, judged as strictly as by the real service."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from dev.emulator import fields
from dev.emulator.errors import invalid
from dev.emulator.fields import ImageField
from dev.emulator.render_image import FACTORS, SIZES_1K
from dev.emulator.scenarios import Scenario, UnknownScenarioError, parse

FAST, STANDARD = "fast", "standard"
VIDEO_MODELS = {
    "veo-3.1-generate-001": STANDARD,
    "veo-3.1-fast-generate-001": FAST,
    "veo-3.1-lite-generate-001": FAST,
}
IMAGE_MODELS = ("gemini-2.5-flash-image", "gemini-3.1-flash-image", "gemini-3-pro-image")

PROMPT_MAX = 4000  # characters; the real limit is 1,024 tokens
PARAMETERS = (
    "sampleCount", "storageUri", "fps", "durationSeconds", "seed", "aspectRatio", "resolution",
    "personGeneration", "pubsubTopic", "negativePrompt", "enhancePrompt", "generateAudio",
    "compressionQuality", "resizeMode",
)  # fmt: skip
INSTANCE = ("prompt", "image", "lastFrame", "referenceImages", "video", "mask")
REFERENCE_SECONDS = 8
GENERATION_CONFIG = (
    "responseModalities", "imageConfig", "candidateCount", "seed", "temperature", "topP", "topK",
    "maxOutputTokens",
)  # fmt: skip
GENERATE_CONTENT = (
    "contents", "generationConfig", "safetySettings", "systemInstruction", "labels", "tools",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class VideoRequest:
    """A valid predictLongRunning body; ``storage`` is bucket and prefix, None for inline output."""

    prompt: str
    caption: str
    scenario: Scenario
    labels: dict[str, str]
    aspect_ratio: str
    seconds: int
    samples: int
    seed: int
    sound: bool
    pad: bool
    storage: tuple[str, str] | None
    first: ImageField | None
    last: ImageField | None
    references: tuple[ImageField, ...]


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


def video_request(body: Any) -> VideoRequest:
    """Read a predictLongRunning body. Raises a 400 ApiError that names what is wrong."""
    top = fields.an_object(body, "body", ("instances", "parameters", "labels"))
    instances = fields.a_list(top.get("instances"), "instances")
    if len(instances) != 1:
        raise invalid("Exactly one instance is expected.")
    instance = fields.an_object(instances[0], "instances[0]", INSTANCE)
    for name in ("video", "mask"):
        if name in instance:
            raise invalid(f"'{name}' is not supported by this emulator.")
    prompt, scenario, caption = _prompt(fields.text(instance, "prompt"))
    if not prompt.strip() and "image" not in instance:
        raise invalid("The prompt is empty.")
    first = _image(instance, "image")
    last = _image(instance, "lastFrame")
    references = _references(instance)
    if last and not first:
        raise invalid("'lastFrame' needs 'image', the first frame.")
    if first and references:
        raise invalid("'image' and 'referenceImages' cannot be used together.")
    parameters = fields.an_object(top.get("parameters", {}), "parameters", PARAMETERS)
    seconds = fields.integer(parameters, "durationSeconds", 8, (4, 6, 8))
    if references and seconds != REFERENCE_SECONDS:
        raise invalid("Reference images need a durationSeconds of 8.")
    _check_unused(parameters)
    storage_uri = fields.text(parameters, "storageUri")
    return VideoRequest(
        prompt=prompt,
        caption=caption,
        scenario=scenario,
        labels=fields.labels(top),
        aspect_ratio=fields.choice(parameters, "aspectRatio", "16:9", ("16:9", "9:16")),
        seconds=seconds,
        samples=fields.integer(parameters, "sampleCount", 1, range(1, 5)),
        seed=fields.integer(parameters, "seed", 0, range(2**32)),
        sound=fields.boolean(parameters, "generateAudio", True),
        pad=fields.choice(parameters, "resizeMode", "CROP", ("CROP", "PAD")) == "PAD",
        storage=fields.gcs_uri(storage_uri, "storageUri") if storage_uri else None,
        first=first,
        last=last,
        references=references,
    )


def _check_unused(parameters: dict[str, Any]) -> None:
    """What is checked but does not change the rendered file."""
    fields.integer(parameters, "fps", 24, (24,))
    fields.choice(parameters, "resolution", "720p", ("720p", "1080p", "4k"))
    people = ("allow_adult", "dont_allow", "allow_all")
    fields.choice(parameters, "personGeneration", "allow_adult", people)
    fields.choice(parameters, "compressionQuality", "OPTIMIZED", ("OPTIMIZED", "LOSSLESS"))
    fields.boolean(parameters, "enhancePrompt", True)
    fields.text(parameters, "negativePrompt")
    fields.text(parameters, "pubsubTopic")


def _prompt(prompt: str) -> tuple[str, Scenario, str]:
    if len(prompt) > PROMPT_MAX:
        raise invalid("The prompt is too long.")
    try:
        scenario, caption = parse(prompt)
    except UnknownScenarioError as error:
        raise invalid(str(error)) from None
    return prompt, scenario, caption


def _image(instance: dict[str, Any], name: str) -> ImageField | None:
    return fields.image(instance[name], name) if name in instance else None


def _references(instance: dict[str, Any]) -> tuple[ImageField, ...]:
    given = fields.a_list(instance.get("referenceImages", []), "referenceImages")
    if len(given) > 3:  # the limit on Veo's page
        raise invalid("At most 3 reference images are supported.")
    images = []
    for number, each in enumerate(given):
        where = f"referenceImages[{number}]"
        source = fields.an_object(each, where, ("image", "referenceType"))
        fields.choice(source, "referenceType", "", ("asset", "style"))
        images.append(fields.image(source.get("image"), f"{where}.image"))
    return tuple(images)


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
    prompt, scenario, caption = _prompt(" ".join(words))
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
