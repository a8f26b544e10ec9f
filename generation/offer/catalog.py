"""The catalog: look-ups, and its public form."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db.models import Q
from django.db.models.functions import Now

from common.fresh import Fresh
from generation.models import CatalogModel
from generation.offer import availability, pricing
from generation.offer.parameters import Parameters

TEXT_MODES = {"video": "text-to-video", "image": "text-to-image"}
IMAGE_TO_VIDEO = "image-to-video"


def _read() -> list[CatalogModel]:
    not_retired = Q(retires_at=None) | Q(retires_at__gt=Now())
    return list(CatalogModel.objects.filter(not_retired, enabled=True))


# A change is in force within a second. An order in between keeps the price that its answer named.
sold = Fresh(1.0, _read)


def on_sale(kind: str | None = None) -> list[CatalogModel]:
    """The models that can be ordered now, in the order of the catalog; for reading only."""
    return [model for model in sold() if kind is None or model.kind == kind]


def pick(models: list[CatalogModel], name: str | None) -> CatalogModel | None:
    """The model of that public name or alias; the first one when ``name`` is None."""
    for model in models:
        if name is None or name == model.name or name in model.aliases:
            return model
    return None


def provider_model(model: CatalogModel) -> str:
    """The provider's id of the model: the row's own, else that of the settings."""
    return model.provider_model or settings.PROVIDER_MODELS[model.name]


def estimated_time(model: CatalogModel, parameters: Parameters) -> str:
    """How long it usually takes, in words for customers."""
    if (of_this := _times(model, parameters).get("estimated_time")) is not None:
        return str(of_this)
    if parameters.source_image_urls and model.estimated_time_with_images:
        return model.estimated_time_with_images
    return model.estimated_time


def expected_seconds(model: CatalogModel, parameters: Parameters) -> float:
    """How long it usually takes, on a demo's faster clock, too."""
    seconds = _times(model, parameters).get("expected_seconds", model.expected_seconds)
    return float(seconds * settings.TIME_SCALE)


def mode(model: CatalogModel, source_images: int) -> str:
    return IMAGE_TO_VIDEO if source_images else TEXT_MODES[model.kind]


def message(model: CatalogModel, source_images: int) -> str:
    if source_images and model.message_with_images:
        return model.message_with_images
    return model.message


def to_dict(model: CatalogModel) -> dict[str, Any]:
    """One model, as ``GET /api/v1/models/`` shows it."""
    video = model.kind == CatalogModel.Kind.VIDEO
    able = model.able
    shapes = {"aspect_ratios": model.shapes if video else None}
    return {
        "name": model.name,
        "slug": model.name,
        "aliases": model.aliases,
        "generation_type": model.kind,
        "available": not availability.paused_for(model),
        "credits": pricing.price_of(model, Parameters.filled(model, {})),
        "quality": model.quality,
        "modes": [TEXT_MODES[model.kind]] + ([IMAGE_TO_VIDEO] if video else []),
        **(shapes if video else shapes | {"sizes": model.shapes}),
        "default": model.shapes[0],
        "durations": list(able.durations) if video else None,
        "default_duration": able.default_duration,
        "durations_by_resolution": able.durations_by_resolution,
        "durations_by_images": able.durations_by_images,
        "resolutions": list(able.resolutions) if video else None,
        "audio": able.audio,
        "seed": able.seed_max is not None if video else None,
        "negative_prompt": able.negative_prompt if video else None,
        "prices": pricing.prices(model) if video else None,
        "price_unit_seconds": pricing.UNIT if video else None,
        "estimated_time": {
            TEXT_MODES[model.kind]: model.estimated_time,
            **({IMAGE_TO_VIDEO: model.estimated_time_with_images} if video else {}),
        },
        "max_images": able.max_images,
        "source_images_max": able.max_images,
        "retires_at": model.retires_at,
    }


def _times(model: CatalogModel, parameters: Parameters) -> dict[str, Any]:
    """The times of each resolution that takes longer than the model's first one."""
    times: dict[str, Any] = model.times.get(parameters.resolution or "", {})
    return times
