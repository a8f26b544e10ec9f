"""The schemas of the answers, for the OpenAPI document.

The answers are made in ``generation/public.py``, ``generation/catalog.py`` and
``generation/api/create.py``; a test holds both to the same keys.
"""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from common.api.form import TrueField, serializer_of
from common.api.openapi import PageSerializer
from generation import public
from generation.models import CatalogModel, states


class _Credits(serializers.IntegerField):
    def __init__(self, **kwargs: Any) -> None:
        super().__init__(min_value=0, **kwargs)


class _CreatedSerializer(serializers.Serializer[Any]):
    generation_id = serializers.UUIDField()
    status = serializers.ChoiceField(states.PUBLIC_STATUSES, help_text="`processing`")
    generation_type = serializers.ChoiceField(CatalogModel.Kind.values)
    estimated_time = serializers.CharField()
    credits_used = _Credits()
    credits_remaining = _Credits(help_text="The balance after this charge.")
    mode = serializers.ChoiceField(public.MODES)
    message = serializers.CharField()


class CreatedVideoSerializer(_CreatedSerializer):
    """A video that was started."""

    video_model = serializers.ChoiceField(public.VIDEO_MODELS)
    source_images_count = serializers.IntegerField(
        min_value=1, max_value=3, required=False, help_text="Only for `image-to-video`."
    )


class CreatedImageSerializer(_CreatedSerializer):
    """An image that was started."""

    size = serializers.ChoiceField(public.SIZES)


class VideoEnvelopeSerializer(serializers.Serializer[Any]):
    """The answer of ``POST /api/v1/generate/video/``."""

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        return {"success": TrueField(), "data": CreatedVideoSerializer()}


class ImageEnvelopeSerializer(serializers.Serializer[Any]):
    """The answer of ``POST /api/v1/generate/``."""

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        return {"success": TrueField(), "data": CreatedImageSerializer()}


GenerationSerializer = serializer_of(public.PublicGeneration, "Generation")


class HistorySerializer(PageSerializer):
    """A page of generations, newest first."""

    results = GenerationSerializer(many=True)


class CatalogModelSerializer(serializers.Serializer[Any]):
    """One model with its price and what it takes."""

    name = serializers.CharField()
    aliases = serializers.ListField(child=serializers.CharField())
    generation_type = serializers.ChoiceField(CatalogModel.Kind.values)
    credits = serializers.IntegerField(min_value=1, help_text="The price of one generation.")
    quality = serializers.CharField()
    modes = serializers.ListField(child=serializers.CharField())
    aspect_ratios = serializers.ListField(
        child=serializers.CharField(), required=False, help_text="Only for videos."
    )
    sizes = serializers.ListField(
        child=serializers.CharField(), required=False, help_text="Only for images."
    )
    default = serializers.CharField(help_text="The aspect ratio or size when none is given.")
    estimated_time = serializers.DictField(
        child=serializers.CharField(), help_text="In words, for each mode."
    )
    source_images_max = serializers.IntegerField(min_value=0)
    retires_at = serializers.DateTimeField(allow_null=True)


class CatalogSerializer(serializers.Serializer[Any]):
    __doc__ = "What is sold."  # the page says it

    success = TrueField()
    models = CatalogModelSerializer(many=True)
