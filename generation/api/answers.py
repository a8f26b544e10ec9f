"""The shapes of what the endpoints answer, for the OpenAPI document.

The answers are made in ``generation/public.py``, ``generation/catalog.py`` and ``views.py``; a test
holds both to the same keys.
"""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from common.api.openapi import PageSerializer, TrueField
from generation.models import CatalogModel, states
from generation.progress import STAGE_NAMES

VIDEO_MODELS = ["veo3_fast", "veo3"]  # the first of each is the default (contract, section 2)
ASPECT_RATIOS = ["16:9", "9:16"]
SIZES = ["1:1", "3:2", "2:3"]
MODES = ["text-to-video", "image-to-video", "text-to-image"]


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
    mode = serializers.ChoiceField(MODES)
    message = serializers.CharField()


class CreatedVideoSerializer(_CreatedSerializer):
    """A video that was started."""

    video_model = serializers.ChoiceField(VIDEO_MODELS)
    source_images_count = serializers.IntegerField(
        min_value=1, max_value=3, required=False, help_text="Only for `image-to-video`."
    )


class CreatedImageSerializer(_CreatedSerializer):
    """An image that was started."""

    size = serializers.ChoiceField(SIZES)


class VideoEnvelopeSerializer(serializers.Serializer[Any]):
    """The answer of ``POST /api/v1/generate/video/``."""

    success = TrueField()
    data = CreatedVideoSerializer()  # type: ignore[assignment]  # DRF takes the name out of the class


class ImageEnvelopeSerializer(serializers.Serializer[Any]):
    """The answer of ``POST /api/v1/generate/``."""

    success = TrueField()
    data = CreatedImageSerializer()  # type: ignore[assignment]  # as above


class GenerationErrorSerializer(serializers.Serializer[Any]):
    """Why a generation failed."""

    code = serializers.ChoiceField(states.ERROR_CODES)
    message = serializers.CharField(help_text="One sentence for a person.")
    retryable = serializers.BooleanField(help_text="Whether the same request may succeed later.")


class GenerationSerializer(serializers.Serializer[Any]):
    """A generation, flat: every key is always there, null where it does not apply."""

    success = TrueField()
    id = serializers.UUIDField()
    generation_id = serializers.UUIDField(help_text="The same as `id`.")
    generation_type = serializers.ChoiceField(CatalogModel.Kind.values)
    status = serializers.ChoiceField(states.PUBLIC_STATUSES)
    prompt = serializers.CharField(help_text="Empty once it has expired.")
    mode = serializers.ChoiceField(MODES)
    video_model = serializers.ChoiceField(VIDEO_MODELS, allow_null=True)
    aspect_ratio = serializers.ChoiceField(ASPECT_RATIOS, allow_null=True)
    source_images_count = serializers.IntegerField(min_value=0, max_value=3, allow_null=True)
    size = serializers.ChoiceField(SIZES, allow_null=True)
    estimated_time = serializers.CharField(
        help_text="What the model usually takes, in words; time in the queue comes on top."
    )
    progress = serializers.FloatField(
        min_value=0,
        max_value=1,
        help_text=(
            "In steps of 0.05, never back; 1 only when completed. At most 0.1 before the provider "
            "works on it, however long it waits."
        ),
    )
    stage = serializers.ChoiceField(
        STAGE_NAMES,
        allow_null=True,
        help_text=(
            "What is being done: `queued` waits for its turn, `generating` is with the provider, "
            "`saving` is being fetched and checked. A refused attempt is queued again."
        ),
    )
    estimated_completion_at = serializers.DateTimeField(
        allow_null=True,
        help_text=(
            "When it should be ready, from its own start. Null while it is `queued`, since nobody "
            "knows when its turn comes, and when it takes longer than that."
        ),
    )
    deadline_at = serializers.DateTimeField(
        allow_null=True,
        help_text=(
            "While processing: what is not made by then is given up, with a `timeout`, and "
            "refunded in full."
        ),
    )
    credits_used = _Credits(help_text="0 when it failed or was canceled.")
    credits_refunded = _Credits()
    video_url = serializers.URLField(
        allow_null=True,
        help_text="A signed link that plays without a header, until `expires_at`.",
    )
    image_url = serializers.URLField(allow_null=True, help_text="The same for an image.")
    download_url = serializers.URLField(
        allow_null=True, help_text="The file as a download; takes your key, does not expire."
    )
    expires_at = serializers.DateTimeField(allow_null=True, help_text="The end of the link.")
    error = GenerationErrorSerializer(allow_null=True)
    cancelable = serializers.BooleanField()
    retry_of = serializers.UUIDField(
        allow_null=True, help_text="The generation that this one was made to replace."
    )
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()
    completed_at = serializers.DateTimeField(allow_null=True)
    failed_at = serializers.DateTimeField(allow_null=True)
    canceled_at = serializers.DateTimeField(allow_null=True)
    output_expires_at = serializers.DateTimeField(
        allow_null=True,
        help_text="The file is deleted soon after this; `null` when there is none or it is kept.",
    )
    output_deleted_at = serializers.DateTimeField(
        allow_null=True, help_text="When retention took the file; the status stays `completed`."
    )


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
    """What is sold."""

    success = TrueField()
    models = CatalogModelSerializer(many=True)
