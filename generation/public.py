"""The one public form of a generation: status, history and whatever comes later all use it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.conf import settings

from common.times import with_z
from generation import catalog, progress
from generation.lifecycle import is_cancelable
from generation.models import CatalogModel, Generation, states
from generation.models.states import State
from generation.outputs import links, retention


def etag(generation: Generation, now: datetime) -> str:
    """Changes exactly when the body does.

    A row's version stands for all that is written. With the time change only the progress, the
    estimate (which is there until it is missed) and the link of what has one; with the account or
    the setting, how long that is kept.
    """
    step = progress.step(generation, now)
    estimated = int(progress.expected_end(generation, now) is not None)
    if not _has_output(generation):
        return f'W/"{generation.version}-{step}-{estimated}-0"'
    window, days = links.Window.of(now).number, retention.output_days(generation.account)
    return f'W/"{generation.version}-{step}-{estimated}-{window}-{days}"'


def to_dict(generation: Generation, now: datetime, base_url: str) -> dict[str, Any]:
    """Every key is always there, None where it does not apply."""
    video = generation.kind == CatalogModel.Kind.VIDEO
    undelivered = generation.state in states.UNDELIVERED
    sources = len(generation.source_image_urls)
    mode = catalog.IMAGE_TO_VIDEO if sources else catalog.TEXT_MODES[generation.kind]
    return {
        "success": True,
        "id": str(generation.pk),
        "generation_id": str(generation.pk),
        "generation_type": generation.kind,
        "status": states.public_status(generation.state),
        "prompt": generation.prompt,
        "mode": mode,
        "video_model": generation.model_id if video else None,
        "aspect_ratio": generation.shape if video else None,
        "source_images_count": sources if video else None,
        "size": None if video else generation.shape,
        "estimated_time": generation.estimated_time,
        "progress": round(progress.step(generation, now) / progress.STEPS, 2),
        "stage": progress.stage(generation),
        "estimated_completion_at": timestamp(progress.expected_end(generation, now)),
        "deadline_at": timestamp(generation.deadline_at) if generation.is_open else None,
        "credits_used": 0 if undelivered else generation.price,
        "credits_refunded": generation.price if undelivered else 0,
        **_links(generation, now, base_url),
        "error": _error(generation),
        "cancelable": is_cancelable(generation),
        "retry_of": str(generation.retry_of_id) if generation.retry_of_id else None,
        "created_at": timestamp(generation.created_at),
        "updated_at": timestamp(generation.updated_at),
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


def _error(generation: Generation) -> dict[str, Any] | None:
    if generation.state != State.FAILED:
        return None
    return {
        "code": generation.error_code,
        "message": generation.error_message,
        "retryable": generation.error_retryable,
    }


def _links(generation: Generation, now: datetime, base_url: str) -> dict[str, Any]:
    found: dict[str, Any] = dict.fromkeys(("video_url", "image_url", "download_url", "expires_at"))
    if not _has_output(generation):
        return found
    base = settings.PUBLIC_BASE_URL or base_url
    window = links.Window.of(now)
    found[f"{generation.kind}_url"] = base + links.path(generation.output_key, window)
    found["download_url"] = f"{base}/api/v1/generate/{generation.pk}/download/"
    found["expires_at"] = timestamp(window.expires_at)
    return found


def _has_output(generation: Generation) -> bool:
    """Whether there is a file to link to: made, and not yet taken by retention."""
    return generation.state == State.COMPLETED and generation.output_key != ""
