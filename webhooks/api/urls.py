"""Section 11 of the contract; under ``/api/v1/``."""

from __future__ import annotations

from django.urls import path

from webhooks.api import views

urlpatterns = [path("events/", views.EventsView.as_view(), name="events")]
