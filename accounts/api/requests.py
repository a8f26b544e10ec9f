"""What the endpoints of section 1 of the contract take and give."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.utils import timezone
from rest_framework import serializers

from common.api.fields import StrictBooleanField, StrictCharField, StrictDateTimeField


class AccountSerializer(serializers.Serializer[Any]):
    """An account, which owns keys, credits and generations."""

    id = serializers.UUIDField()
    name = serializers.CharField()
    created_at = serializers.DateTimeField()
    keys_manage_keys = serializers.BooleanField(
        help_text="Whether API keys may make and delete API keys. Off by default."
    )


class AccountChoiceSerializer(serializers.Serializer[Any]):
    """The body of ``PATCH /api/account/``; what is absent stays as it is."""

    keys_manage_keys = StrictBooleanField(required=False, allow_null=True)


class NewKeySerializer(serializers.Serializer[Any]):
    """The body of ``POST /api/api-keys/``."""

    name = StrictCharField(max_length=100)
    expires_at = StrictDateTimeField(required=False, allow_null=True, default=None)

    def validate_expires_at(self, value: datetime | None) -> datetime | None:
        """DRF's hook. Raises ValidationError for a moment that has passed."""
        if value is not None and value <= timezone.now():
            raise serializers.ValidationError("Must be in the future")
        return value


class ApiKeySerializer(serializers.Serializer[Any]):
    """An API key in the list; the secret itself is not known any more."""

    id = serializers.UUIDField()
    name = serializers.CharField()
    key_preview = serializers.CharField(source="preview")
    created_at = serializers.DateTimeField()
    last_used_at = serializers.DateTimeField(allow_null=True)
    expires_at = serializers.DateTimeField(allow_null=True)


class CreatedKeySerializer(serializers.Serializer[Any]):
    """The one answer that shows an API key's secret."""

    id = serializers.UUIDField(source="api_key.id")
    name = serializers.CharField(source="api_key.name")
    key = serializers.CharField(source="secret")
    key_preview = serializers.CharField(source="api_key.preview")
    created_at = serializers.DateTimeField(source="api_key.created_at")
    expires_at = serializers.DateTimeField(source="api_key.expires_at", allow_null=True)
