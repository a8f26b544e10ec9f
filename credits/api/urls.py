"""Section 5 of the contract; under ``/api/v1/``."""

from __future__ import annotations

from django.urls import path

from credits.api import views

urlpatterns = [
    path("credits/", views.BalanceView.as_view(), name="credits"),
    path("credits/transactions/", views.TransactionsView.as_view(), name="transactions"),
]
