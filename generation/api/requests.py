"""The bodies of creates and quotes. What is allowed comes from the catalog's rows."""

from __future__ import annotations

import threading
from typing import Any

from django.conf import settings
from rest_framework import serializers
from rest_framework.fields import SkipField

from common.api.fields import (
    NullIsAbsent,
    StrictBooleanField,
    StrictCharField,
    StrictIntegerField,
    WebhookUrlField,
)
from common.fetchable import check_url
from generation.inputs.images import SCHEME, upload_id
from generation.models import CatalogModel
from generation.offer import catalog
from generation.offer.parameters import Parameters, faults, image_count_sentence, seed_sentence
from generation.refusals import UnusableUpload

MAX_PROMPT = 1000
NOT_CREDITS = "Must be an integer, 0 or more"


class SourceImageUrlsField(NullIsAbsent, serializers.Field[Any, Any, Any, Any]):
    """URLs and uploads, as many as the model takes; a fault names the entry's index."""

    parent: Any  # one of the serializers below
    default_error_messages = {
        "list": "{sentence}",
        "entry": "source_image_urls[{index}] {fault}",
    }

    def to_internal_value(self, data: Any) -> list[str]:
        """DRF's hook. Raises ValidationError for the first bad entry."""
        model: CatalogModel = self.parent.model
        if not isinstance(data, list) or len(data) > model.able.max_images:
            self.fail("list", sentence=image_count_sentence(model))
        for index, url in enumerate(data):
            fault: str | None = "must be a string"
            if isinstance(url, str) and url.startswith(SCHEME):
                fault = UnusableUpload.fault if upload_id(url) is None else None
            elif isinstance(url, str):
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
    model: CatalogModel

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        """DRF's hook: first each field's type, in their order, then the rules of the model's row.

        Where the model itself is wrong, the others are judged by the default's row.
        """
        self.models = catalog.on_sale(self.kind)
        if not self.models:
            message = f"No {self.kind} model is on sale at the moment"
            # as a dictionary: this hook's errors become the serializer's own
            raise serializers.ValidationError({"non_field_errors": [message]})
        self.model = self.models[0]
        values: dict[str, Any] = {}
        found: dict[str, Any] = {}
        for name, field in self.fields.items():
            try:
                values[name] = self._read(field, data)
            except serializers.ValidationError as error:
                found[name] = error.detail
            except SkipField:
                pass
        if "seed" in found:
            found["seed"] = [seed_sentence(self.model)]
        found = faults(self.model, values) | found
        if found:
            order = sorted(found, key=list(self.fields.keys()).index)
            raise serializers.ValidationError({name: found[name] for name in order})
        return values

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """DRF's hook. Adds ``model`` and ``parameters``, which an order needs."""
        return attrs | {"model": self.model, "parameters": Parameters.filled(self.model, attrs)}

    def _read(self, field: serializers.Field[Any, Any, Any, Any], data: Any) -> Any:
        value = field.run_validation(field.get_value(data))
        return self._chosen(value) if field.field_name == "video_model" else value

    def _chosen(self, name: str) -> str:
        """Take that model. Raises ValidationError in the contract's words."""
        model = catalog.pick(self.models, name)
        if model is None:
            names = ", ".join(model.name for model in self.models)
            raise serializers.ValidationError(f"Invalid video_model. Must be one of: {names}")
        self.model = model
        return name


class _Serializers(threading.local):
    """One serializer of each kind, made once a thread.

    Making one copies its fields, which is a tenth of a create's cost. Nothing that a request leaves
    in one outlives the next.
    """

    def __init__(self) -> None:  # called in each thread that comes here
        self._made: dict[type[_CreateSerializer], _CreateSerializer] = {}

    def of(self, kind: type[_CreateSerializer]) -> _CreateSerializer:
        if kind not in self._made:
            self._made[kind] = kind()
        return self._made[kind]


_serializers = _Serializers()


def validated(kind: type[_CreateSerializer], body: dict[str, Any]) -> dict[str, Any]:
    """The values of a request's body. Raises ValidationError."""
    values: dict[str, Any] = _serializers.of(kind).run_validation(body)
    return values


def _max_credits() -> StrictIntegerField:
    return StrictIntegerField(
        required=False,
        min_value=0,
        error_messages={"invalid": NOT_CREDITS, "min_value": NOT_CREDITS},
        help_text="The most that you pay for this. What costs more is refused with a 409.",
    )


def _webhook_url() -> WebhookUrlField:
    return WebhookUrlField(
        required=False,
        help_text="An https URL, on port 443 or 8443 of a public address. It gets the one event of "
        "this generation's end, signed with the account's default secret.",
    )


class VideoRequestSerializer(_CreateSerializer):
    """The body of ``POST /api/v1/generate/video/``."""

    kind = "video"
    video_model = StrictCharField(
        required=False,
        help_text="The name of a model, as `GET /api/v1/models/video/` lists them; the first one "
        "is the default. It says which values the fields below take.",
        allow_blank=True,
    )
    aspect_ratio = StrictCharField(
        required=False, help_text="The model's first one is the default.", allow_blank=True
    )
    source_image_urls = SourceImageUrlsField(
        required=False,
        help_text=(
            "0 to 3 http(s) URLs of images, or uploads: one is the first frame, two the first "
            "and the last frame, three reference images. Taken are JPEG, PNG and WebP, not "
            "animated, of at most 20 MB, 25 megapixels and 8192 pixels a side, from ports 80 "
            "and 443 of public addresses, over at most three redirects, within 20 seconds; not "
            "`data:` URLs. A URL is asked for as a browser does it: what is encoded stays "
            "letter by letter. A host that is busy or away is asked again for up to 5 minutes. "
            "`upload:<id>` names an image that you uploaded within 24 hours (`POST "
            "/api/v1/uploads/`)."
        ),
    )
    duration = StrictIntegerField(
        required=False,
        help_text="Seconds. Some resolutions and numbers of source images allow fewer: see "
        "`durations_by_resolution` and `durations_by_images` of the model.",
    )
    resolution = StrictCharField(
        required=False, allow_blank=True, help_text="The model's first one is the default."
    )
    generate_audio = StrictBooleanField(
        required=False, help_text="Whether it has sound; `true` unless the model has none."
    )
    seed = StrictIntegerField(
        required=False,
        help_text="Sent to the provider as it is. The same seed need not give the same video.",
    )
    negative_prompt = StrictCharField(
        required=False,
        max_length=MAX_PROMPT,
        allow_blank=True,
        help_text="What should not be in the video, where the model takes that.",
    )
    max_credits = _max_credits()
    webhook_url = _webhook_url()


class ImageRequestSerializer(_CreateSerializer):
    """The body of ``POST /api/v1/generate/``."""

    kind = "image"
    size = StrictCharField(
        required=False, help_text="The first one of the model is the default.", allow_blank=True
    )
    max_credits = _max_credits()
    webhook_url = _webhook_url()


KINDS: dict[str, type[_CreateSerializer]] = {
    each.kind: each for each in (VideoRequestSerializer, ImageRequestSerializer)
}


class QuoteRequestSerializer(VideoRequestSerializer):
    """The body of ``POST /api/v1/quote/``, for the page; the fields of its type are judged."""

    type = StrictCharField(required=False, help_text="`video` (default) or `image`.")
    size = ImageRequestSerializer().fields["size"]
