"""The body of predictLongRunning, judged as strictly as by the real service."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from dev.emulator import fields
from dev.emulator.errors import invalid
from dev.emulator.fields import ImageField
from dev.emulator.scenarios import Scenario

PARAMETERS = (
    "sampleCount", "storageUri", "fps", "durationSeconds", "seed", "aspectRatio", "resolution",
    "personGeneration", "pubsubTopic", "negativePrompt", "enhancePrompt", "generateAudio",
    "compressionQuality", "resizeMode",
)  # fmt: skip
INSTANCE = ("prompt", "image", "lastFrame", "referenceImages", "video", "mask")
WHOLE_SECONDS = 8  # the only length with reference images, and above 720p
RESOLUTIONS = ("720p", "1080p", "4k")
LITE_RESOLUTIONS = ("720p", "1080p")


@dataclass(frozen=True, slots=True)
class VideoRequest:
    """A valid request for videos of either API.

    ``storage`` is bucket and prefix, None for inline output; ``seed`` is None where none was sent.
    """

    prompt: str
    caption: str
    scenario: Scenario
    labels: dict[str, str]
    aspect_ratio: str
    seconds: int
    storage: tuple[str, str] | None
    seed: int | None
    resolution: str
    sound: bool = True
    negative_prompt: str = ""
    samples: int = 1
    pad: bool = False
    first: ImageField | None = None
    last: ImageField | None = None
    references: tuple[ImageField, ...] = ()

    @property
    def images(self) -> tuple[ImageField, ...]:
        """All images that came with it."""
        return (*(each for each in (self.first, self.last) if each), *self.references)


def video_request(body: Any, model: str) -> VideoRequest:
    """Read a predictLongRunning body. Raises a 400 ApiError that names what is wrong."""
    top = fields.an_object(body, "body", ("instances", "parameters", "labels"))
    instances = fields.a_list(top.get("instances"), "instances")
    if len(instances) != 1:
        raise invalid("Exactly one instance is expected.")
    instance = fields.an_object(instances[0], "instances[0]", INSTANCE)
    for name in ("video", "mask"):
        if name in instance:
            raise invalid(f"'{name}' is not supported by this emulator.")
    prompt, scenario, caption = fields.prompt(fields.text(instance, "prompt"))
    if not prompt.strip() and "image" not in instance:
        raise invalid("The prompt is empty.")
    lite = "-lite-" in model
    first, last, references = _images(instance, lite)
    parameters = fields.an_object(top.get("parameters", {}), "parameters", PARAMETERS)
    seconds, resolution = _shape(parameters, bool(references), lite)
    _check_unused(parameters)
    storage_uri = fields.text(parameters, "storageUri")
    return VideoRequest(
        prompt=prompt,
        caption=caption,
        scenario=scenario,
        labels=fields.labels(top),
        aspect_ratio=fields.choice(parameters, "aspectRatio", "16:9", ("16:9", "9:16")),
        seconds=seconds,
        storage=fields.gcs_uri(storage_uri, "storageUri") if storage_uri else None,
        seed=fields.seed(parameters, 2**32),
        resolution=resolution,
        sound=fields.boolean(parameters, "generateAudio", True),
        negative_prompt=fields.text(parameters, "negativePrompt"),
        samples=fields.integer(parameters, "sampleCount", 1, range(1, 5)),
        pad=fields.choice(parameters, "resizeMode", "CROP", ("CROP", "PAD")) == "PAD",
        first=first,
        last=last,
        references=references,
    )


def _images(
    instance: dict[str, Any], lite: bool
) -> tuple[ImageField | None, ImageField | None, tuple[ImageField, ...]]:
    """First frame, last frame and reference images."""
    first, last = _image(instance, "image"), _image(instance, "lastFrame")
    references = _references(instance)
    if last and not first:
        raise invalid("'lastFrame' needs 'image', the first frame.")
    if first and references:
        raise invalid("'image' and 'referenceImages' cannot be used together.")
    if references and lite:
        raise invalid("Reference images are not supported by this model.")
    return first, last, references


def _shape(parameters: dict[str, Any], references: bool, lite: bool) -> tuple[int, str]:
    """Seconds and resolution, which decide about each other."""
    seconds = fields.integer(parameters, "durationSeconds", WHOLE_SECONDS, (4, 6, 8))
    known = LITE_RESOLUTIONS if lite else RESOLUTIONS
    resolution = fields.choice(parameters, "resolution", "720p", known)
    if seconds != WHOLE_SECONDS:
        if references:
            raise invalid("Reference images need a durationSeconds of 8.")
        if resolution != "720p":
            raise invalid(f"A resolution of {resolution} needs a durationSeconds of 8.")
    return seconds, resolution


def _check_unused(parameters: dict[str, Any]) -> None:
    """What is checked but does not change the rendered file."""
    fields.integer(parameters, "fps", 24, (24,))
    people = ("allow_adult", "dont_allow", "allow_all")
    fields.choice(parameters, "personGeneration", "allow_adult", people)
    fields.choice(parameters, "compressionQuality", "OPTIMIZED", ("OPTIMIZED", "LOSSLESS"))
    fields.boolean(parameters, "enhancePrompt", True)
    fields.text(parameters, "pubsubTopic")


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
