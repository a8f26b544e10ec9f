"""The account and its keys, of section 1 of the contract; under ``/api/``."""

from __future__ import annotations

from django.urls import path

from accounts.api import views

urlpatterns = [
    path("account/", views.AccountView.as_view(), name="account"),
    path("api-keys/", views.ApiKeysView.as_view(), name="api-keys"),
    path("api-keys/<str:key_id>/", views.ApiKeyView.as_view(), name="api-key"),
]
