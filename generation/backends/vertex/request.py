"""What is asked of google-genai."""

from __future__ import annotations

from google.genai import types

from generation.backends.base import SourceImage, SubmitRequest


def video_source(request: SubmitRequest) -> types.GenerateVideosSource:
    """The prompt, and the first frame where there is one."""
    first = request.source_images[0] if len(request.source_images) in (1, 2) else None
    return types.GenerateVideosSource(
        prompt=request.prompt, image=_image(first) if first is not None else None
    )


def video_config(request: SubmitRequest) -> types.GenerateVideosConfig:
    """One video, written into the attempt's place.

    Length, resolution and sound are always named: what was charged must not follow a default of
    the provider's.
    """
    images = request.source_images
    references = [
        types.VideoGenerationReferenceImage(
            image=_image(image), reference_type=types.VideoGenerationReferenceType.ASSET
        )
        for image in images
    ]
    return types.GenerateVideosConfig(
        number_of_videos=1,
        duration_seconds=request.duration,
        resolution=request.resolution,
        aspect_ratio=request.aspect_ratio,
        output_gcs_uri=request.place,
        generate_audio=request.audio,
        seed=request.seed,
        negative_prompt=request.negative_prompt,
        person_generation="allow_adult",
        last_frame=_image(images[1]) if len(images) == 2 else None,
        reference_images=references if len(images) > 2 else None,
        labels=_labels(request),
    )


def image_contents(request: SubmitRequest) -> list[types.ContentUnion]:
    """The prompt, after the images it is about."""
    images = [
        types.Part.from_bytes(data=image.data, mime_type=image.mime_type)
        for image in request.source_images
    ]
    return [types.Content(role="user", parts=[*images, types.Part(text=request.prompt)])]


def image_config(request: SubmitRequest) -> types.GenerateContentConfig:
    """One image, its answer unread. Two switches keep google-genai from follow-up requests."""
    return types.GenerateContentConfig(
        response_modalities=["IMAGE"],
        image_config=types.ImageConfig(aspect_ratio=request.aspect_ratio),
        labels=_labels(request),
        should_return_http_response=True,
        automatic_continuation=False,
        automatic_function_calling=types.AutomaticFunctionCallingConfig(disable=True),
    )


def _labels(request: SubmitRequest) -> dict[str, str]:
    return request.labels | ({"token": request.token} if request.token else {})


def _image(image: SourceImage) -> types.Image:
    return types.Image(image_bytes=image.data, mime_type=image.mime_type)
