"""The one public form of a generation, which status, history and cancel answer."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal, TypedDict

from django.conf import settings

from common.api.form import Bounds, Credits, Link, Moment, OneOf, Uuid
from common.times import with_z
from generation import progress
from generation.lifecycle import is_cancelable
from generation.models import CatalogModel, Generation, states
from generation.models.states import State
from generation.offer import catalog
from generation.offer.parameters import Parameters
from generation.outputs import links, retention

MODES = ["text-to-video", "image-to-video", "text-to-image"]


class GenerationError(TypedDict):
    code: Annotated[str, OneOf(states.ERROR_CODES)]
    message: Annotated[str, "One sentence for a person."]
    retryable: Annotated[bool, "Whether the same request may succeed later."]


GenerationError.__doc__ = "Why a generation failed."  # the page says it


class PublicGeneration(TypedDict):
    """A generation, flat: every key is always there, null where it does not apply."""

    success: Literal[True]
    id: Uuid
    generation_id: Annotated[Uuid, "The same as `id`."]
    generation_type: Annotated[str, OneOf(CatalogModel.Kind.values)]
    status: Annotated[str, OneOf(states.PUBLIC_STATUSES)]
    prompt: Annotated[str, "Empty once it has expired."]
    mode: Annotated[str, OneOf(MODES)]
    video_model: Annotated[str | None, "Also one that is no longer sold."]
    aspect_ratio: str | None
    source_images_count: Annotated[int | None, Bounds(0, 3)]
    size: str | None
    duration: Annotated[int | None, "Seconds, as ordered."]
    resolution: str | None
    generate_audio: bool | None
    seed: int | None
    negative_prompt: Annotated[str | None, "Null once the prompt has expired."]
    estimated_time: Annotated[
        str, "What the model usually takes, in words; time in the queue comes on top."
    ]
    progress: Annotated[
        float,
        Bounds(0, 1),
        "In steps of 0.05, never back; 1 only when completed. At most 0.1 before the provider "
        "works on it, however long it waits.",
    ]
    stage: Annotated[
        str | None,
        OneOf(progress.STAGE_NAMES),
        "What is being done: `queued` waits for its turn, `generating` is with the provider, "
        "`saving` is being fetched and checked. A refused attempt is queued again.",
    ]
    estimated_completion_at: Annotated[
        Moment | None,
        "When it should be ready, from its own start. Null while it is `queued`, since nobody "
        "knows when its turn comes, and when it takes longer than that.",
    ]
    deadline_at: Annotated[
        Moment | None,
        "While processing: what is not made by then is given up, with a `timeout`, and "
        "refunded in full.",
    ]
    credits_used: Annotated[Credits, "0 when it failed or was canceled."]
    credits_refunded: Credits
    video_url: Annotated[
        Link | None, "A signed link that plays without a header, until `expires_at`."
    ]
    image_url: Annotated[Link | None, "The same for an image."]
    download_url: Annotated[Link | None, "The file as a download; takes your key, does not expire."]
    video_codec: Annotated[
        str | None,
        "`avc1`, `hvc1` or `hev1`: at `4k` it may be H.265, which not every browser plays.",
    ]
    expires_at: Annotated[Moment | None, "The end of the link."]
    error: GenerationError | None
    cancelable: bool
    retry_of: Annotated[Uuid | None, "The generation that this one was made to replace."]
    created_at: Moment
    updated_at: Moment
    completed_at: Moment | None
    failed_at: Moment | None
    canceled_at: Moment | None
    output_expires_at: Annotated[
        Moment | None,
        "The file is deleted soon after this; `null` when there is none or it is kept.",
    ]
    output_deleted_at: Annotated[
        Moment | None, "When retention took the file; the status stays `completed`."
    ]


def etag(generation: Generation, now: datetime) -> str:
    """Changes exactly when the body does.

    The row's version stands for all that is written. Time changes the progress, the link, and
    whether there still is an estimate. The account and the settings change how long a file is
    kept.
    """
    step = progress.step(generation, now)
    estimated = int(progress.expected_end(generation, now) is not None)
    if not _has_output(generation):
        return f'W/"{generation.version}-{step}-{estimated}-0"'
    period, days = links.LinkPeriod.of(now).number, retention.output_days(generation.account)
    return f'W/"{generation.version}-{step}-{estimated}-{period}-{days}"'


def headers(generation: Generation, now: datetime) -> dict[str, str]:
    """What stands over a status, whoever answers it: web at once, or the waiter after a wait."""
    found = {"ETag": etag(generation, now), "Cache-Control": "private, no-cache"}
    if generation.is_open:
        found["Retry-After"] = str(progress.retry_after(generation, now))
    return found


def to_dict(generation: Generation, now: datetime, base_url: str) -> PublicGeneration:
    video = generation.kind == CatalogModel.Kind.VIDEO
    undelivered = generation.state in states.UNDELIVERED
    asked = Parameters.of(generation.kind, generation.parameters)
    sources = len(asked.source_image_urls)
    mode = catalog.IMAGE_TO_VIDEO if sources else catalog.TEXT_MODES[generation.kind]
    link = download = expires_at = None
    if _has_output(generation):
        base = settings.PUBLIC_BASE_URL or base_url
        period = links.LinkPeriod.of(now)
        link = base + links.path(generation.output_key, period)
        download = f"{base}/api/v1/generate/{generation.pk}/download/"
        expires_at = period.expires_at
    return {
        "success": True,
        "id": str(generation.pk),
        "generation_id": str(generation.pk),
        "generation_type": generation.kind,
        "status": states.public_status(generation.state),
        "prompt": generation.prompt,
        "mode": mode,
        "video_model": generation.model_id if video else None,
        "aspect_ratio": asked.aspect_ratio,
        "source_images_count": sources if video else None,
        "size": asked.size,
        "duration": asked.duration,
        "resolution": asked.resolution,
        "generate_audio": asked.generate_audio,
        "seed": asked.seed,
        "negative_prompt": asked.negative_prompt,
        "estimated_time": generation.estimated_time,
        "progress": round(progress.step(generation, now) / progress.STEPS, 2),
        "stage": progress.stage(generation),
        "estimated_completion_at": timestamp(progress.expected_end(generation, now)),
        "deadline_at": timestamp(generation.deadline_at) if generation.is_open else None,
        "credits_used": 0 if undelivered else generation.price,
        "credits_refunded": generation.price if undelivered else 0,
        "video_url": link if video else None,
        "image_url": None if video else link,
        "download_url": download,
        "video_codec": _codec(generation),
        "expires_at": timestamp(expires_at),
        "error": _error(generation),
        "cancelable": is_cancelable(generation),
        "retry_of": str(generation.retry_of_id) if generation.retry_of_id else None,
        "created_at": with_z(generation.created_at),
        "updated_at": with_z(generation.updated_at),
        "completed_at": _finished(generation, State.COMPLETED),
        "failed_at": _finished(generation, State.FAILED),
        "canceled_at": _finished(generation, State.CANCELED),
        "output_expires_at": timestamp(retention.output_expires_at(generation)),
        "output_deleted_at": timestamp(generation.output_deleted_at),
    }


def timestamp(moment: datetime | None) -> str | None:
    return None if moment is None else with_z(moment)


def _finished(generation: Generation, state: State) -> str | None:
    return timestamp(generation.finished_at) if generation.state == state else None


def _error(generation: Generation) -> GenerationError | None:
    if generation.state != State.FAILED:
        return None
    return {
        "code": generation.error_code,
        "message": generation.error_message,
        "retryable": generation.error_retryable,
    }


def _codec(generation: Generation) -> str | None:
    if generation.kind != CatalogModel.Kind.VIDEO or generation.state != State.COMPLETED:
        return None
    codec: str | None = generation.output_facts.get("video_codec")
    return codec


def _has_output(generation: Generation) -> bool:
    """Whether there is a file to link to: made, and not yet taken by retention."""
    return generation.state == State.COMPLETED and generation.output_key != ""
