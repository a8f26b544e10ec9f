"""The catalog: look-ups, and its public form."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db.models import Q
from django.db.models.functions import Now

from common.fresh import Fresh
from generation.models import CatalogModel

TEXT_MODES = {"video": "text-to-video", "image": "text-to-image"}
IMAGE_TO_VIDEO = "image-to-video"


def _read() -> list[CatalogModel]:
    not_retired = Q(retires_at=None) | Q(retires_at__gt=Now())
    return list(CatalogModel.objects.filter(not_retired, enabled=True))


# A change is in force a second later. What was ordered meanwhile keeps the price that its answer
# named.
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


def estimated_time(model: CatalogModel, source_images: int) -> str:
    """How long it usually takes, in words for customers."""
    if source_images and model.estimated_time_with_images:
        return model.estimated_time_with_images
    return model.estimated_time


def expected_seconds(model: CatalogModel) -> float:
    """How long it usually takes, on a demo's faster clock, too."""
    return model.expected_seconds * settings.TIME_SCALE


def message(model: CatalogModel, source_images: int) -> str:
    if source_images and model.message_with_images:
        return model.message_with_images
    return model.message


def to_dict(model: CatalogModel) -> dict[str, Any]:
    """One model, as ``GET /api/v1/models/`` shows it."""
    video = model.kind == CatalogModel.Kind.VIDEO
    shapes = {"aspect_ratios" if video else "sizes": model.shapes}
    return {
        "name": model.name,
        "aliases": model.aliases,
        "generation_type": model.kind,
        "credits": model.price,
        "quality": model.quality,
        "modes": [TEXT_MODES[model.kind]] + ([IMAGE_TO_VIDEO] if video else []),
        **shapes,
        "default": model.shapes[0],
        "estimated_time": {
            TEXT_MODES[model.kind]: model.estimated_time,
            **({IMAGE_TO_VIDEO: model.estimated_time_with_images} if video else {}),
        },
        "source_images_max": 3 if video else 0,
        "retires_at": model.retires_at,
    }
