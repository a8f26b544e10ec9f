"""Section 10 of the contract; under ``/api/v1/``."""

from __future__ import annotations

from django.urls import path

from payments.api import views

urlpatterns = [
    path("credits/packs/", views.PacksView.as_view(), name="packs"),
    path("credits/checkout/", views.CheckoutView.as_view(), name="checkout"),
    path("credits/payments/", views.PaymentsView.as_view(), name="payments"),
    path("credits/payments/<str:payment_id>/", views.PaymentView.as_view(), name="payment"),
]
