"""Sections 11 to 14 of the contract; under ``/api/v1/``."""

from __future__ import annotations

from django.urls import path

from webhooks.api import deliveries, endpoints, stream, views

ALL = "webhook-endpoints/"
ONE = f"{ALL}<str:endpoint_id>/"

urlpatterns = [
    path("events/", views.EventsView.as_view(), name="events"),
    path("generate/<str:generation_id>/events/", stream.StreamView.as_view(), name="stream"),
    path(ALL, endpoints.EndpointsView.as_view(), name="webhook-endpoints"),
    path(
        f"{ALL}default-secret/",
        endpoints.DefaultSecretView.as_view(),
        name="webhook-default-secret",
    ),
    path(
        f"{ALL}default-secret/rotate/",
        endpoints.DefaultRotationView.as_view(),
        name="webhook-default-secret-rotation",
    ),
    path(ONE, endpoints.EndpointView.as_view(), name="webhook-endpoint"),
    path(
        f"{ONE}rotate-secret/", endpoints.RotationView.as_view(), name="webhook-endpoint-rotation"
    ),
    path(f"{ONE}test/", endpoints.TestView.as_view(), name="webhook-endpoint-test"),
    path(f"{ONE}recover/", endpoints.RecoveryView.as_view(), name="webhook-endpoint-recovery"),
    path(f"{ONE}deliveries/", deliveries.DeliveriesView.as_view(), name="webhook-deliveries"),
    path(
        f"{ONE}deliveries/<str:delivery_id>/",
        deliveries.DeliveryView.as_view(),
        name="webhook-delivery",
    ),
    path(
        f"{ONE}deliveries/<str:delivery_id>/retry/",
        deliveries.RetryView.as_view(),
        name="webhook-delivery-retry",
    ),
]
