"""The bodies of creates. The allowed values come from the catalog."""

from __future__ import annotations

import threading
from typing import Any

from django.conf import settings
from rest_framework import serializers

from common.api.fields import NullIsAbsent, StrictCharField
from common.fetchable import check_url
from generation import catalog
from generation.models import CatalogModel

MAX_PROMPT = 1000
MAX_SOURCE_IMAGES = 3

_of_this_thread = threading.local()


class SourceImageUrlsField(NullIsAbsent, serializers.Field[Any, Any, Any, Any]):
    """A list of 0 to 3 http(s) URLs; a fault names the entry's index."""

    default_error_messages = {
        "list": f"Must be a list of at most {MAX_SOURCE_IMAGES} URLs",
        "entry": "source_image_urls[{index}] {fault}",
    }

    def to_internal_value(self, data: Any) -> list[str]:
        """DRF's hook. Raises ValidationError for the first bad entry."""
        if not isinstance(data, list) or len(data) > MAX_SOURCE_IMAGES:
            self.fail("list")
        for index, url in enumerate(data):
            fault: str | None = "must be a string"
            if isinstance(url, str):
                fault = check_url(url, settings.SOURCE_IMAGE_ALLOWED_ORIGINS)
            if fault is not None:
                self.fail("entry", index=index, fault=fault)
        return list(data)

    def to_representation(self, value: Any) -> Any:
        return value


class _CreateSerializer(serializers.Serializer[Any]):
    """The part that both kinds share. It asks the catalog once a request."""

    prompt = StrictCharField(max_length=MAX_PROMPT, help_text="What to make, in plain words.")

    kind: str
    models: list[CatalogModel]

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        """DRF's hook. Asks the catalog once, then checks the fields in their order."""
        self.models = catalog.on_sale(self.kind)
        if not self.models:
            message = f"No {self.kind} model is on sale at the moment"
            # as a dictionary: this hook's errors become the serializer's own
            raise serializers.ValidationError({"non_field_errors": [message]})
        values: dict[str, Any] = super().to_internal_value(data)
        return values

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """DRF's hook. Adds ``model`` and ``shape``, which an order needs."""
        model = catalog.pick(self.models, attrs.get("video_model")) or self.models[0]
        shape = attrs.get("aspect_ratio") or attrs.get("size") or model.shapes[0]
        return attrs | {"model": model, "shape": shape}

    def _one_of(self, field: str, value: str, allowed: list[str]) -> str:
        if value not in allowed:
            names = ", ".join(allowed)
            raise serializers.ValidationError(f"Invalid {field}. Must be one of: {names}")
        return value

    def _shapes(self) -> list[str]:
        """Every shape that some model of this kind has, in the catalog's order."""
        return list(dict.fromkeys(shape for model in self.models for shape in model.shapes))


def validated(kind: type[_CreateSerializer], body: dict[str, Any]) -> dict[str, Any]:
    """The values of a request's body. Raises ValidationError.

    Each thread keeps one serializer of each kind. Making one copies its fields, which is a tenth of
    a create's cost, and nothing of a request stays in them.
    """
    made = _of_this_thread.__dict__.get(kind.__name__)
    if made is None:
        made = kind()
        setattr(_of_this_thread, kind.__name__, made)
    values: dict[str, Any] = made.run_validation(body)
    return values


class VideoRequestSerializer(_CreateSerializer):
    """The body of ``POST /api/v1/generate/video/``."""

    kind = "video"
    video_model = StrictCharField(
        required=False, help_text="`veo3_fast` (default) or `veo3`.", allow_blank=True
    )
    aspect_ratio = StrictCharField(
        required=False, help_text="`16:9` (default) or `9:16`.", allow_blank=True
    )
    source_image_urls = SourceImageUrlsField(
        required=False,
        help_text=(
            "0 to 3 http(s) URLs of images: one is the first frame, two the first and the last "
            "frame, three reference images. Taken are JPEG, PNG and WebP, not animated, of at most "
            "20 MB, 25 megapixels and 8192 pixels a side, from ports 80 and 443 of public "
            "addresses, over at most three redirects, within 20 seconds; not `data:` URLs. A URL "
            "is asked for as a browser does it: what is encoded stays letter by letter. A host "
            "that is busy or away is asked again for up to 5 minutes."
        ),
    )

    def validate_video_model(self, value: str) -> str:
        """DRF's hook. Raises ValidationError in the contract's words."""
        if catalog.pick(self.models, value) is None:
            self._one_of("video_model", value, [model.name for model in self.models])
        return value

    def validate_aspect_ratio(self, value: str) -> str:
        return self._one_of("aspect_ratio", value, self._shapes())


class ImageRequestSerializer(_CreateSerializer):
    """The body of ``POST /api/v1/generate/``."""

    kind = "image"
    size = StrictCharField(
        required=False, help_text="`1:1` (default), `3:2` or `2:3`.", allow_blank=True
    )

    def validate_size(self, value: str) -> str:
        return self._one_of("size", value, self._shapes())
