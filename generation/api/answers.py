"""The schemas of the answers, for the OpenAPI document.

The answers are made in ``generation/public.py``, ``generation/offer/catalog.py`` and
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
    duration = serializers.IntegerField(allow_null=True, help_text="Seconds; null for an image.")
    resolution = serializers.CharField(allow_null=True)
    generate_audio = serializers.BooleanField(allow_null=True)
    seed = serializers.IntegerField(allow_null=True)
    negative_prompt = serializers.CharField(allow_null=True)


class CreatedVideoSerializer(_CreatedSerializer):
    """A video that was started."""

    video_model = serializers.CharField()
    source_images_count = serializers.IntegerField(
        min_value=1, max_value=3, required=False, help_text="Only for `image-to-video`."
    )


class CreatedImageSerializer(_CreatedSerializer):
    """An image that was started."""

    size = serializers.CharField()


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


class _Durations(serializers.DictField):
    def __init__(self, **kwargs: Any) -> None:
        child = serializers.ListField(child=serializers.IntegerField())
        super().__init__(child=child, allow_null=True, **kwargs)


class CatalogModelSerializer(serializers.Serializer[Any]):
    """One model with its price and what it takes."""

    name = serializers.CharField()
    aliases = serializers.ListField(child=serializers.CharField())
    generation_type = serializers.ChoiceField(CatalogModel.Kind.values)
    slug = serializers.CharField(help_text="The same as `name`.")
    available = serializers.BooleanField(
        help_text="False while the provider does not offer it: then a create answers 503."
    )
    credits = serializers.IntegerField(min_value=1, help_text="The price of the defaults.")
    quality = serializers.CharField()
    modes = serializers.ListField(child=serializers.CharField())
    aspect_ratios = serializers.ListField(
        child=serializers.CharField(), allow_null=True, help_text="Null for images."
    )
    sizes = serializers.ListField(
        child=serializers.CharField(), required=False, help_text="Only for images."
    )
    default = serializers.CharField(help_text="The aspect ratio or size when none is given.")
    durations = serializers.ListField(
        child=serializers.IntegerField(), allow_null=True, help_text="Seconds; null for images."
    )
    default_duration = serializers.IntegerField(allow_null=True)
    durations_by_resolution = _Durations(
        help_text="Those that are left at a resolution, where they are not all."
    )
    durations_by_images = _Durations(
        help_text="Those that are left with a number of source images, where they are not all."
    )
    resolutions = serializers.ListField(
        child=serializers.CharField(),
        allow_null=True,
        help_text="The first is the default; null for images.",
    )
    audio = serializers.ChoiceField(
        ["optional", "always", "never"], allow_null=True, help_text="Whether there may be sound."
    )
    seed = serializers.BooleanField(allow_null=True, help_text="Whether it takes one.")
    negative_prompt = serializers.BooleanField(allow_null=True, help_text="Whether it takes one.")
    prices = serializers.DictField(
        child=serializers.DictField(child=_Credits()),
        allow_null=True,
        help_text="Credits for `price_unit_seconds` seconds of all that is sold, by resolution "
        "and by sound (`audio`, `silent`). A video costs `ceil(price * duration / 8)`.",
    )
    price_unit_seconds = serializers.IntegerField(allow_null=True)
    estimated_time = serializers.DictField(
        child=serializers.CharField(), help_text="In words, for each mode."
    )
    max_images = serializers.IntegerField(min_value=0, help_text="As `source_images_max`.")
    source_images_max = serializers.IntegerField(min_value=0)
    retires_at = serializers.DateTimeField(allow_null=True)


class QuoteSerializer(serializers.Serializer[Any]):
    """What a create would cost. It binds nobody: send `max_credits` to keep it."""

    success = TrueField()
    type = serializers.CharField(help_text="`video` or `image`.")
    model = serializers.CharField()
    mode = serializers.ChoiceField(public.MODES)
    credits_needed = serializers.IntegerField(min_value=1)
    credits_balance = serializers.IntegerField()
    sufficient = serializers.BooleanField(help_text="Whether the balance is enough.")
    price_per_8_seconds = serializers.IntegerField(
        min_value=1, allow_null=True, help_text="Null for images."
    )
    price_per_image = serializers.IntegerField(
        min_value=1, allow_null=True, help_text="Null for videos."
    )
    estimated_time = serializers.CharField()
    aspect_ratio = serializers.CharField(allow_null=True)
    size = serializers.CharField(allow_null=True)
    source_images_count = serializers.IntegerField(min_value=0, max_value=3, allow_null=True)
    duration = serializers.IntegerField(allow_null=True)
    resolution = serializers.CharField(allow_null=True)
    generate_audio = serializers.BooleanField(allow_null=True)
    seed = serializers.IntegerField(allow_null=True)
    negative_prompt = serializers.CharField(allow_null=True)


class CatalogSerializer(serializers.Serializer[Any]):
    __doc__ = "What is sold."  # the page says it

    success = TrueField()
    models = CatalogModelSerializer(many=True)
