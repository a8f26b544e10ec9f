"""The body that begins an interaction of Gemini Omni, judged as strictly as Veo's."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from dev.emulator import fields
from dev.emulator.errors import invalid
from dev.emulator.fields import ImageField
from dev.emulator.video_request import VideoRequest

TOP = (
    "model", "input", "response_format", "generation_config", "background", "store", "labels",
)  # fmt: skip
RESPONSE_FORMAT = ("type", "delivery", "gcs_uri", "duration", "aspect_ratio", "resolution")
RESOLUTIONS = ("360p", "720p", "1080p", "4k")
DURATION = re.compile(r"([1-9][0-9]?)s")
SECONDS, SECONDS_OF_TWO_FRAMES = range(3, 16), range(3, 11)
# Each task and how many images it takes: one is the first frame, two are the first and the last.
TASKS = {"text_to_video": (0,), "image_to_video": (1, 2), "reference_to_video": range(1, 7)}
LATER_TASKS = ("edit", "extend", "upscale")
SEEDS = 2**31  # whether more is taken is not known, so it is refused here
SEEDING_MODEL = "gemini-omni-1.2-flash"  # the models before have no seed


def model_of(body: Any) -> str:
    """The model that a body names; empty when there is none."""
    model = body.get("model") if isinstance(body, dict) else None
    return model if isinstance(model, str) else ""


def contents_of(body: dict[str, Any]) -> list[dict[str, Any]]:
    """What the user put in, as a valid body has it."""
    contents: list[dict[str, Any]] = body["input"][0]["content"]
    return contents


def interaction_request(body: Any, exists: Callable[[str, str], bool]) -> VideoRequest:
    """Read the body; ``exists`` knows bucket and object. Raises a 400 that names what is wrong."""
    top = fields.an_object(body, "body", TOP)
    if not fields.boolean(top, "background", False) or not fields.boolean(top, "store", True):
        raise invalid("Videos need 'background': true, and that needs 'store': true.")
    words, images = _input(top.get("input"), exists)
    prompt, scenario, caption = fields.prompt(words)
    if not prompt.strip():
        raise invalid("The prompt is empty.")
    config = fields.an_object(
        top.get("generation_config", {}), "generation_config", ("seed", "video_config")
    )
    task = _task(config, len(images))
    seed = fields.seed(config, SEEDS)
    if seed is not None and top.get("model") != SEEDING_MODEL:
        raise invalid(f"'seed' is not supported by the model {top.get('model')}.")
    wanted = _response_format(top.get("response_format"))
    frames = images if task == "image_to_video" else []
    return VideoRequest(
        prompt=prompt,
        caption=caption,
        scenario=scenario,
        labels=fields.labels(top),
        aspect_ratio=fields.choice(wanted, "aspect_ratio", "16:9", ("16:9", "9:16")),
        seconds=_seconds(wanted, len(frames)),
        storage=_storage(wanted),
        seed=seed,
        resolution=fields.choice(wanted, "resolution", "720p", RESOLUTIONS),
        first=frames[0] if frames else None,
        last=frames[1] if len(frames) > 1 else None,
        references=() if frames else tuple(images),
    )


def _input(value: Any, exists: Callable[[str, str], bool]) -> tuple[str, list[ImageField]]:
    """Text and images of the one step that begins an interaction."""
    steps = fields.a_list(value, "input")
    if len(steps) != 1:
        raise invalid("Exactly one step is expected in 'input'.")
    step = fields.an_object(steps[0], "input[0]", ("type", "content"))
    if step.get("type") != "user_input":
        raise invalid("The step in 'input' must be a user_input.")
    words: list[str] = []
    images: list[ImageField] = []
    for number, each in enumerate(fields.a_list(step.get("content"), "input[0].content")):
        where = f"input[0].content[{number}]"
        kind = each.get("type") if isinstance(each, dict) else None
        if kind == "text":
            piece = fields.an_object(each, where, ("type", "text"))
            words.append(fields.text(piece, "text"))
        elif kind == "image":
            images.append(_image(each, where, exists))
        else:
            raise invalid(f"The type of '{where}' is not supported: {kind!r}. Use text, image.")
    return "\n".join(words), images


def _image(value: Any, where: str, exists: Callable[[str, str], bool]) -> ImageField:
    source = fields.an_object(value, where, ("type", "data", "uri", "mime_type"))
    image = fields.one_image(source, where, ("data", "uri", "mime_type"))
    if image.uri and not exists(*fields.gcs_uri(image.uri, where)):
        raise invalid(f"The image {image.uri} does not exist.")
    return image


def _task(config: dict[str, Any], images: int) -> str:
    """The task that was named, or the one that the images suggest."""
    video = fields.an_object(
        config.get("video_config", {}), "generation_config.video_config", ("task",)
    )
    usual = ("text_to_video", "image_to_video", "image_to_video")
    suggested = usual[images] if images < len(usual) else "reference_to_video"
    task = fields.choice(video, "task", suggested, (*TASKS, *LATER_TASKS))
    if task in LATER_TASKS:
        raise invalid(f"The task {task} is not supported by this emulator.")
    if images not in TASKS[task]:
        raise invalid(f"The task {task} does not take {images} images.")
    return task


def _response_format(value: Any) -> dict[str, Any]:
    """The format of the one video; a list of one and the object itself mean the same."""
    formats = value if isinstance(value, list) else [value]
    if len(formats) != 1:
        raise invalid("Exactly one 'response_format' is expected.")
    wanted = fields.an_object(formats[0], "response_format", RESPONSE_FORMAT)
    fields.choice(wanted, "type", "", ("video",))
    return wanted


def _seconds(wanted: dict[str, Any], frames: int) -> int:
    match = DURATION.fullmatch(fields.text(wanted, "duration", "8s"))
    allowed = SECONDS_OF_TWO_FRAMES if frames > 1 else SECONDS
    if match is None or int(match[1]) not in allowed:
        shown = f'"{allowed.start}s" to "{allowed.stop - 1}s"'
        raise invalid(f"The duration must be {shown}: {wanted.get('duration')!r}.")
    return int(match[1])


def _storage(wanted: dict[str, Any]) -> tuple[str, str] | None:
    delivery = fields.choice(wanted, "delivery", "inline", ("inline", "uri"))
    uri = fields.text(wanted, "gcs_uri")
    if delivery == "inline":
        if uri:
            raise invalid("'gcs_uri' needs 'delivery': \"uri\".")
        return None
    bucket, prefix = fields.gcs_uri(uri, "gcs_uri")
    if not uri.endswith("/"):
        raise invalid(f"'gcs_uri' must end in a slash: {uri!r}.")
    return bucket, prefix
