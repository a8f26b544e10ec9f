"""What is asked of google-genai, and what its image models answer."""

from __future__ import annotations

from google.genai import types

from generation.backends.base import SourceImage, SubmitRequest
from generation.backends.safety import FILTERED_FINISH_REASONS, filtered_by_word
from generation.backends.vertex_errors import empty

SECONDS = 8  # the only length that Veo 3.1 makes from reference images, and what we sell
IMAGE_TYPES = frozenset({"image/png", "image/jpeg"})


def video_source(request: SubmitRequest) -> types.GenerateVideosSource:
    """The prompt, and the first frame where there is one."""
    first = request.source_images[0] if len(request.source_images) in (1, 2) else None
    return types.GenerateVideosSource(
        prompt=request.prompt, image=_image(first) if first is not None else None
    )


def video_config(request: SubmitRequest) -> types.GenerateVideosConfig:
    """One 8-second video with sound, written under the attempt's prefix."""
    images = request.source_images
    references = [
        types.VideoGenerationReferenceImage(
            image=_image(image), reference_type=types.VideoGenerationReferenceType.ASSET
        )
        for image in images
    ]
    return types.GenerateVideosConfig(
        number_of_videos=1,
        duration_seconds=SECONDS,
        aspect_ratio=request.aspect_ratio,
        output_gcs_uri=request.prefix,
        generate_audio=True,
        person_generation="allow_adult",
        last_frame=_image(images[1]) if len(images) == 2 else None,
        reference_images=references if len(images) > 2 else None,
        labels=request.labels,
    )


def image_contents(request: SubmitRequest) -> list[types.ContentUnion]:
    """The prompt, after the images it is about."""
    images = [
        types.Part.from_bytes(data=image.data, mime_type=image.mime_type)
        for image in request.source_images
    ]
    return [types.Content(role="user", parts=[*images, types.Part(text=request.prompt)])]


def image_config(request: SubmitRequest) -> types.GenerateContentConfig:
    """One image. The two switches keep google-genai from sending follow-up requests."""
    return types.GenerateContentConfig(
        response_modalities=["IMAGE"],
        image_config=types.ImageConfig(aspect_ratio=request.aspect_ratio),
        labels=request.labels,
        automatic_continuation=False,
        automatic_function_calling=types.AutomaticFunctionCallingConfig(disable=True),
    )


def read_image(response: types.GenerateContentResponse) -> SourceImage:
    """The image of an answer. Raises Rejected: a refusal comes as HTTP 200, too."""
    feedback = response.prompt_feedback
    words = [_word(feedback.block_reason)] if feedback and feedback.block_reason else []
    finished: list[str] = []
    for candidate in response.candidates or []:
        parts = candidate.content.parts if candidate.content else None
        for part in parts or []:
            blob = part.inline_data
            # A "thought" is a draft that the model made on its way.
            if blob and blob.data and blob.mime_type in IMAGE_TYPES and not part.thought:
                return SourceImage(blob.data, str(blob.mime_type))
        finished.append(_word(candidate.finish_reason))
        blocked = [_word(r.category) for r in candidate.safety_ratings or [] if r.blocked]
        if finished[-1] in FILTERED_FINISH_REASONS or blocked:
            words += [*blocked, finished[-1]]
    if words:
        raise filtered_by_word("image", words)
    raise empty("image", f"finish reasons: {finished}")


def _image(image: SourceImage) -> types.Image:
    return types.Image(image_bytes=image.data, mime_type=image.mime_type)


def _word(value: object) -> str:
    """The wire's word: google-genai's enums are strings, and it lets unknown ones through."""
    return str(getattr(value, "value", value) or "")
