"""The bodies of requests about endpoints: section 12 of the contract."""

from __future__ import annotations

from typing import Any

from django.utils import timezone
from rest_framework import serializers

from common.api.fields import (
    NullIsAbsent,
    StrictBooleanField,
    StrictCharField,
    StrictDateTimeField,
    StrictIntegerField,
    WebhookUrlField,
)
from events.models import EVERY_TYPE, Type
from webhooks.endpoints import LONGEST_DESCRIPTION
from webhooks.keys import KEEP_HOURS, MOST_HOURS

WANTED = [*Type.values, EVERY_TYPE]
BAD_TYPES = f"Invalid event_types. Must be one of: {', '.join(WANTED)}"
BAD_HOURS = f"Must be a whole number from 0 to {MOST_HOURS}"
BAD_WINDOW = "Must not be after until"


class EventTypesField(NullIsAbsent, serializers.Field[Any, Any, Any, Any]):
    """A list of types, not empty; whatever is wrong with it, the sentence says what it may hold."""

    def to_internal_value(self, data: Any) -> list[str]:
        """DRF's hook. Raises ValidationError with the one sentence."""
        good = isinstance(data, list) and data and all(each in WANTED for each in data)
        if not good:
            raise serializers.ValidationError(BAD_TYPES)
        return list(data)

    def to_representation(self, value: Any) -> Any:
        return value


class _EndpointSerializer(serializers.Serializer[Any]):
    event_types = EventTypesField(
        required=False,
        help_text="Which events it gets; all three if you say nothing. `*` is all, also those to "
        "come.",
    )
    description = StrictCharField(
        required=False, allow_blank=True, max_length=LONGEST_DESCRIPTION, help_text="For yourself."
    )
    enabled = StrictBooleanField(required=False, help_text="Whether events are sent there.")


class NewEndpointSerializer(_EndpointSerializer):
    """The body of ``POST /api/v1/webhook-endpoints/``."""

    url = WebhookUrlField(
        help_text="https, port 443 or 8443. It is not asked before the first event."
    )

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        return _with_url_first(super().get_fields())


class EndpointChangesSerializer(_EndpointSerializer):
    """The body of ``PATCH /api/v1/webhook-endpoints/{id}/``; what is absent stays as it is."""

    url = WebhookUrlField(required=False, help_text="What is pending goes there, too.")

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        return _with_url_first(super().get_fields())


class RotationSerializer(serializers.Serializer[Any]):
    """The body of a rotation."""

    keep_old_for_hours = StrictIntegerField(
        required=False,
        default=KEEP_HOURS,
        min_value=0,
        max_value=MOST_HOURS,
        error_messages=dict.fromkeys(("invalid", "min_value", "max_value"), BAD_HOURS),
        help_text="So long the old secret signs, too. 0: it ends at once.",
    )
    force = StrictBooleanField(
        required=False,
        default=False,
        help_text="While two are valid: end the older one at once.",
    )


class RecoverySerializer(serializers.Serializer[Any]):
    """The body of ``POST /api/v1/webhook-endpoints/{id}/recover/``."""

    since = StrictDateTimeField(help_text="From when on events are looked for.")
    until = StrictDateTimeField(required=False, default=None, help_text="Until when; default now.")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """DRF's hook. Raises ValidationError for a time that ends before it begins."""
        if attrs["since"] > (attrs["until"] or timezone.now()):
            raise serializers.ValidationError({"since": BAD_WINDOW})
        return attrs


def read(kind: type[serializers.Serializer[Any]], body: Any) -> dict[str, Any]:
    """The values of a body. Raises ValidationError."""
    serializer = kind(data=body)
    serializer.is_valid(raise_exception=True)
    values: dict[str, Any] = serializer.validated_data
    return values


def _with_url_first(
    fields: dict[str, serializers.Field[Any, Any, Any, Any]],
) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
    """Put the fields into the contract's order: the first fault is the one that is told."""
    return {"url": fields["url"]} | fields
