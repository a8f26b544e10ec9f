"""Sections 11 to 14 of the contract; under ``/api/v1/``."""

from __future__ import annotations

from django.urls import path

from webhooks.api import stream, views

urlpatterns = [
    path("events/", views.EventsView.as_view(), name="events"),
    path("generate/<str:generation_id>/events/", stream.StreamView.as_view(), name="stream"),
]
