"""The answers about endpoints and deliveries, as the OpenAPI document describes them."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import PolymorphicProxySerializer, extend_schema_field
from rest_framework import serializers

from common.api.form import serializer_of
from common.api.openapi import PageSerializer
from events.models import TEST
from webhooks import forms
from webhooks.api.document import EventSerializer, ObjectField

EndpointSerializer = serializer_of(forms.PublicEndpoint, "WebhookEndpoint")
EndpointAnswerSerializer = serializer_of(forms.EndpointAnswer, "WebhookEndpointAnswer")
EndpointWithSecretSerializer = serializer_of(forms.EndpointWithSecret, "WebhookEndpointWithSecret")
DefaultSecretSerializer = serializer_of(forms.PublicDefaultSecret, "DefaultSecret")
TestSentSerializer = serializer_of(forms.TestSent, "WebhookTestSent")
RecoveredSerializer = serializer_of(forms.RecoveredAnswer, "WebhooksRecovered")
DeliverySerializer = serializer_of(forms.PublicDelivery, "WebhookDelivery")
DeliveryAnswerSerializer = serializer_of(forms.DeliveryAnswer, "WebhookDeliveryAnswer")
AttemptSerializer = serializer_of(forms.PublicAttempt, "WebhookAttempt")


class EndpointsSerializer(PageSerializer):
    """A page of endpoints, newest first."""

    results = EndpointSerializer(many=True)


class DeliveriesSerializer(PageSerializer):
    """A page of deliveries, newest first."""

    results = DeliverySerializer(many=True)


@extend_schema_field({"type": "string", "const": TEST})
class TestTypeField(serializers.CharField):
    """The type of a test."""


class TestDataSerializer(serializers.Serializer[Any]):
    """What a test tells its receiver."""

    webhook_endpoint_id = forms.EndpointIdField()
    message = serializers.CharField()


class TestEventSerializer(serializers.Serializer[Any]):
    """A test of an endpoint. It is in no list of events."""

    id = forms.EventIdField()
    object = ObjectField()
    type = TestTypeField()
    timestamp = serializers.DateTimeField()
    created_at = serializers.IntegerField(help_text="The same moment in Unix seconds.")

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        return super().get_fields() | {"data": TestDataSerializer()}


@extend_schema_field(
    PolymorphicProxySerializer(
        component_name="WebhookPayload",
        serializers=[EventSerializer, TestEventSerializer],
        resource_type_field_name=None,
    )
)
class PayloadField(serializers.Field[Any, Any, Any, Any]):
    """An event as it would be sent now."""


class DeliveryWithAttemptsSerializer(serializers.Serializer[Any]):
    """One delivery with its attempts, and the event as it would be sent now."""

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        attempts = AttemptSerializer(many=True, help_text="The last 50, the oldest of them first.")
        own = {"attempts": attempts, "payload": PayloadField()}
        return DeliveryAnswerSerializer().get_fields() | own
