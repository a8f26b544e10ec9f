"""What is asked of the Interactions API: one JSON body, and what it cannot say."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from generation.backends.base import Capabilities, Rejected, SubmitRequest
from generation.backends.google.http import Json

TASKS = ("text_to_video", "image_to_video", "image_to_video", "reference_to_video")


@dataclass(frozen=True, slots=True)
class Input:
    """A source image in our bucket, beside the attempt's place."""

    uri: str
    mime_type: str


def check_offered(request: SubmitRequest, can: Capabilities) -> None:
    """Raise Rejected for all that the API cannot be asked for: nothing is changed in silence.

    The catalog refuses it first; a row may be switched to this backend after the order was made.
    """
    seeds = range(0 if can.seed_max is None else can.seed_max + 1)
    wrong = {
        "kind": request.kind not in can.kinds,
        "duration": request.duration not in can.durations,
        "resolution": request.resolution not in can.resolutions,
        "audio": not (can.audible if request.audio else can.silent),
        "negative_prompt": bool(request.negative_prompt) and not can.negative_prompt,
        "seed": request.seed is not None and request.seed not in seeds,
        "source_images": len(request.source_images) > can.max_images,
    }
    if names := [name for name, is_wrong in wrong.items() if is_wrong]:
        raise Rejected(
            "provider_rejected",
            "The model no longer offers this.",
            detail=f"not offered by this backend: {', '.join(names)}",
        )


def interaction_body(request: SubmitRequest, text: str, inputs: Sequence[Input]) -> Json:
    """One video, made in the background and written into the attempt's place.

    ``store`` is what work in the background needs: Google keeps prompt and inputs until they are
    forgotten. Images go by their place, since every poll would bring back what is sent inline.
    """
    content: list[Json] = [{"type": "text", "text": text}]
    content += [{"type": "image", "mime_type": i.mime_type, "uri": i.uri} for i in inputs]
    config: Json = {"video_config": {"task": TASKS[len(inputs)]}}
    if request.seed is not None:
        config["seed"] = request.seed
    return {
        "model": request.model,
        "background": True,
        "store": True,
        "input": [{"type": "user_input", "content": content}],
        "response_format": [
            {
                "type": "video",
                "delivery": "uri",
                "gcs_uri": request.place,
                "duration": f"{request.duration}s",
                "aspect_ratio": request.aspect_ratio,
                "resolution": request.resolution,
            }
        ],
        "generation_config": config,
        "labels": request.labels | ({"token": request.token} if request.token else {}),
    }
